import Media

/// A slot that was made and not published: what is shown in it, and when it becomes public.
struct HeldSlot {
  /// The stills that it was made of.
  let arrivals: SlotArrivals
  let content: SlotContent
  /// The index of its part in its segment, and how many bytes that has.
  let (part, bytes): (Int, Int)
  /// What the slot shows.
  let source: Director.Source
  /// The segment that follows, if this slot completes one.
  let next: PlannedSegment?
  /// When it is published.
  let due: Ticks
}

/// When what the slots of a camera show becomes public: as soon as it is ready, or, where a veil can begin, at a fixed
/// time after the beginning of the slot. It keeps what is ready before.
struct HoldingGate {
  private(set) var offset: PublishOffset
  /// Whether anything is held. Once a veil could begin, this stays for the life of the process.
  private(set) var isClosed = false
  /// The slot that is held.
  private(set) var slot: HeldSlot?
  /// The changes of the playlist without parts that are held, in their order.
  private var plain: [(due: Ticks, change: PlainFeed.Change)] = []

  init(offset: PublishOffset) { self.offset = offset }

  /// Holds slots from now on.
  mutating func close() { isClosed = true }

  /// When something becomes public next; `nil` if nothing is held.
  var deadline: Ticks? { [slot?.due, plain.first?.due].compactMap { $0 }.min() }

  /// When a slot that begins then becomes public.
  func due(_ beginning: Ticks) -> Ticks { isClosed ? beginning + offset.value : beginning }

  /// Holds a slot.
  mutating func hold(_ slot: HeldSlot) { self.slot = slot }

  /// Holds changes of the playlist without parts: until the slot that is held is public, or its own time has come.
  mutating func hold(_ changes: [PlainFeed.Change], until due: Ticks) {
    let last = plain.last?.due ?? due
    plain += changes.map { (max(last, due), $0) }
  }

  /// Takes the slot whose time has come.
  mutating func takeSlot(at now: Ticks) -> HeldSlot? {
    guard let slot, slot.due <= now else { return nil }
    self.slot = nil
    return slot
  }

  /// Takes the changes of the playlist without parts whose time has come.
  mutating func takePlain(at now: Ticks) -> [PlainFeed.Change] {
    let due = plain.prefix { $0.due <= now }.map(\.change)
    plain.removeFirst(due.count)
    return due
  }

  /// Forgets what is held.
  mutating func drop() {
    slot = nil
    plain.removeAll()
  }

  /// Notes how long a slot took; see `PublishOffset.note`.
  mutating func note(ready: Ticks, isCoded: Bool) {
    if isClosed { offset.note(ready: ready, isCoded: isCoded) }
  }

  /// Notes that a segment begins; see `PublishOffset.beginSegment`.
  mutating func beginSegment(isEdge: Bool) { offset.beginSegment(isEdge: isEdge) }

  /// Notes that a part was published; see `PublishOffset.published`.
  mutating func published(part index: Int, of count: Int) { offset.published(part: index, of: count) }
}
