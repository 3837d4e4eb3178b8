import Media
import NIOCore
import Packager

/// The newest pictures of a stream, by the slots that they began to show in: the playlist without parts begins with
/// them.
struct PlainHistory: Sendable {
  /// One slot, or a piece of one.
  struct Slot: Sendable {
    /// When it begins in stream time.
    let start: Ticks
    /// When it begins in wall clock time.
    let date: WallTime
    /// How many steps it has.
    let steps: Int
    /// The pictures that begin to show in it.
    var changes: [ShownPicture]

    /// The slot in pieces, none of which crosses a boundary between segments.
    ///
    /// - Parameters:
    ///   - segment: the length of the segments, whose boundaries are its multiples in stream time.
    ///   - step: the time from one picture to the next.
    func pieces(segment: Ticks, step: Ticks) -> [Slot] {
      var pieces: [Slot] = []
      var first = 0
      while first < steps {
        let offset = step * Int64(first)
        let left = segment * ((start + offset).floorDivided(by: segment) + 1) - start - offset
        let count = min(steps - first, Int(left.floorDivided(by: step)))
        let range = first..<first + count
        pieces.append(
          Slot(
            start: start + offset, date: date.advanced(by: offset), steps: count,
            changes: changes.filter { range.contains($0.step) }.map { $0.earlier(by: first) }))
        first += count
      }
      return pieces
    }
  }

  private let span: Ticks
  private let step: Ticks
  private(set) var slots: [Slot] = []

  /// A history of at least `span`, of pictures that are `step` apart.
  init(span: Ticks, step: Ticks) {
    self.span = span
    self.step = step
  }

  /// Adds a slot and removes what is too old, except for the picture that was shown when the rest began.
  mutating func append(_ slot: Slot) {
    slots.append(slot)
    while slots.count > 1, slot.start - slots[1].start >= span {
      let old = slots.removeFirst()
      if let standing = old.changes.last, !slots[0].changes.contains(where: { $0.step == 0 }) {
        slots[0].changes.insert(ShownPicture(step: 0, jpeg: standing.jpeg), at: 0)
      }
    }
  }

  /// The slots, after one that is as long as needed for the whole span: it shows the oldest known picture, so that none
  /// comes after a newer one, and `standing` if nothing has changed since.
  func filled(standing: ByteBuffer?) -> [Slot] {
    guard var first = slots.first, let last = slots.last else { return slots }
    if let oldest = slots.lazy.flatMap(\.changes).first?.jpeg ?? standing,
      !first.changes.contains(where: { $0.step == 0 })
    {
      first.changes.insert(ShownPicture(step: 0, jpeg: oldest), at: 0)
    }
    let missing = (span - (last.start - first.start)).floorDivided(by: step)
    guard missing > 0 else { return [first] + slots.dropFirst() }
    let length = step * missing
    let lead = Slot(
      start: first.start - length, date: first.date.advanced(by: .zero - length), steps: Int(missing),
      changes: Array(first.changes.prefix(1)))
    return [lead, first] + slots.dropFirst()
  }

  /// Forgets all.
  mutating func clear() { slots.removeAll() }
}
