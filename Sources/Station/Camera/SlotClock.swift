import Media
import Packager

/// Says when slots begin: the clock of one camera's stream.
///
/// Time is divided into slots of one part target, counted from zero. A slot is made when it begins, and published then
/// or a fixed time later (`PublishOffset`), so that it is there when the first player asks for it. The clock only counts; its owner reads the monotonic time and waits.
package struct SlotClock: Hashable, Sendable {
  /// The length of a slot.
  package let slot: Ticks
  /// How late the clock can be and still publish every slot that it missed; after that the missed time is left out.
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

  /// Lets the next slot and all after it begin later, or earlier where `shift` is negative.
  package mutating func move(by shift: Ticks) { origin = origin + shift }

  /// Takes the slots that have begun at `now`: an empty range before the deadline, normally one slot, more if the owner
  /// woke late.
  ///
  /// A process that was stopped for longer than a segment does not catch up: the media timeline continues where it
  /// stopped. The monotonic clock never runs back; if it does, no slot is due.
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
