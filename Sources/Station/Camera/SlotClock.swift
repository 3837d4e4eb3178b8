import Media

/// Says when slots begin: the clock of one camera's stream.
///
/// Time is cut into slots of one part target, counted from zero. A slot is published when it begins, so that it is
/// there when the first player wants it. The clock only counts; whoever owns it reads the monotonic time and waits.
package struct SlotClock: Hashable, Sendable {
  /// The length of a slot.
  package let slot: Ticks
  /// How late it may be and still publish every slot that it missed; after that the missed time is left out.
  private let patience: Ticks
  /// When slot 0 begins, in monotonic time.
  private var origin: Ticks
  /// The slot that is published next.
  package private(set) var next: Int64

  /// A clock whose slot `next` begins at `now`.
  package init(settings: TimelineSettings, next: Int64, now: Ticks) {
    slot = settings.part
    patience = settings.segment
    self.next = next
    origin = now - settings.part * next
  }

  /// When the next slot begins, in monotonic time.
  package var deadline: Ticks { beginning(of: next) }

  /// When a slot begins, in monotonic time.
  package func beginning(of index: Int64) -> Ticks { origin + slot * index }

  /// Takes the slots that have begun at `now`: an empty range before the deadline, normally one slot, and more when
  /// the owner woke late.
  ///
  /// A process that stood still for longer than a segment does not make up for it: the media timeline goes on where
  /// it stopped, as if the time had not been. The monotonic clock never runs back; should it do so, nothing is due.
  package mutating func due(now: Ticks) -> Range<Int64> {
    let first = next
    let late = now - deadline
    guard late >= .zero else { return first..<first }
    if late > patience {
      origin = origin + late
      next += 1
    } else {
      next += 1 + late.floorDivided(by: slot)
    }
    return first..<next
  }
}
