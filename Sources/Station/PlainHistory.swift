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
  private(set) var slots: [Slot] = []

  /// A history of at least `span`.
  init(span: Ticks) { self.span = span }

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

  /// Forgets all.
  mutating func clear() { slots.removeAll() }
}
