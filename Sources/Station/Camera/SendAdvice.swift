import Media
import Packager

/// Says when a camera should send its next still, so that it comes just before a slot begins.
///
/// The advice differs from the interval that is set by a tenth at most, so that a camera that is far off gets there in a
/// few stills. A camera that waits for so long *after* its answer takes longer by what it needs for a picture and for
/// sending it; that is learned and taken off. Advice that nobody takes costs nothing.
package struct SendAdvice: Sendable {
  private let interval: Ticks
  private let slot: Ticks
  private let delay: Ticks
  private var last: (arrival: Ticks, advised: Ticks)?
  /// How much longer than advised the camera takes, as far as it is known.
  private var extra: Int64 = 0

  /// Advice for a camera that should send a still each `interval`.
  ///
  /// - Parameters:
  ///   - slot: the length of a slot.
  ///   - delay: how long a still is kept back before a slot takes it.
  package init(interval: Ticks, slot: Ticks, delay: Ticks) {
    self.interval = interval
    self.slot = slot
    self.delay = delay
  }

  /// Advice for a camera with these settings.
  init(_ settings: CameraSettings) {
    self.init(interval: settings.interval, slot: settings.timeline.part, delay: settings.delay)
  }

  /// How long after a still that has come at `arrival` the next should be sent, in whole milliseconds.
  ///
  /// - Parameter nextSlot: when some slot begins; `nil` where it is not known yet.
  package mutating func next(after arrival: Ticks, nextSlot: Ticks?) -> Ticks {
    guard let nextSlot else { return interval }
    if let last {
      let found = (arrival - last.arrival - last.advised).count
      // What is further off is a still that was lost, or a camera that goes by its own clock.
      if abs(found) <= interval.count / 4 {
        extra += (found - extra) / 4
        extra = max(-interval.count / 10, min(interval.count / 4, extra))
      }
    }
    // Where intervals are not whole slots there are several places in a slot that the stills can have.
    let grid = Self.divisor(interval.count, slot.count)
    let early = nextSlot - ShutterPhase.lead - delay - arrival - interval
    var shift = (early - Ticks(grid) * early.floorDivided(by: Ticks(grid))).count
    if shift > grid / 2 { shift -= grid }
    shift = max(-interval.count / 10, min(interval.count / 10, shift))
    let wanted = interval.count + shift - extra
    let bounded = max(interval.count * 3 / 4, min(interval.count * 5 / 4, wanted))
    let advised = max(Ticks.milliseconds(1), Ticks.milliseconds(Ticks(bounded).milliseconds))
    last = (arrival, advised)
    return advised
  }

  private static func divisor(_ left: Int64, _ right: Int64) -> Int64 {
    right == 0 ? left : divisor(right, left % right)
  }
}
