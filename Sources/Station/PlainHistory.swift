import Media
import NIOCore

/// The newest pictures of a stream, by the slots that they began to show in: what its playlist without parts begins
/// with.
struct PlainHistory: Sendable {
  /// One slot.
  struct Slot: Sendable {
    /// When it begins in stream time.
    let start: Ticks
    /// When it begins in civil time.
    let date: WallTime
    /// How many steps it has.
    let steps: Int
    /// The pictures that begin to show in it.
    var changes: [Loop.Change]
  }

  private let span: Ticks
  private let part: Ticks
  private(set) var slots: [Slot] = []

  /// A history of at least `span`.
  init(span: Ticks, part: Ticks) {
    self.span = span
    self.part = part
  }

  /// Adds a slot; what is too old goes, but for the picture that stood when the rest began.
  mutating func append(_ slot: Slot) {
    slots.append(slot)
    while slots.count > 1, slot.start - slots[1].start >= span {
      let old = slots.removeFirst()
      if let standing = old.changes.last, !slots[0].changes.contains(where: { $0.step == 0 }) {
        slots[0].changes.insert(Loop.Change(step: 0, jpeg: standing.jpeg), at: 0)
      }
    }
  }

  /// The slots, led by as many as it takes to have the whole span: they show the oldest picture that is known, so that
  /// none comes after a newer one, and `standing` where nothing has changed since.
  func filled(standing: ByteBuffer?) -> [Slot] {
    guard var first = slots.first, let last = slots.last else { return slots }
    if let oldest = slots.lazy.flatMap(\.changes).first?.jpeg ?? standing,
      !first.changes.contains(where: { $0.step == 0 })
    {
      first.changes.insert(Loop.Change(step: 0, jpeg: oldest), at: 0)
    }
    var missing = (span - (last.start - first.start)).floorDivided(by: part)
    var lead: [Slot] = []
    while missing > 0 {
      lead.append(
        Slot(
          start: first.start - part * missing, date: first.date.advanced(by: .zero - part * missing),
          steps: first.steps, changes: lead.isEmpty ? Array(first.changes.prefix(1)) : []))
      missing -= 1
    }
    return lead + [first] + slots.dropFirst()
  }

  /// Forgets all.
  mutating func clear() { slots.removeAll() }
}
