import Media
import Station

/// What is remembered of one camera between two looks at it: its counters of the last minute, and since when it is as
/// it is.
struct CameraWatch: Sendable {
  /// How it is.
  private(set) var condition: CameraCondition?
  /// Since when, or when the process first looked.
  private(set) var since: WallTime?
  private var window = RateWindow()

  /// Looks at a camera.
  ///
  /// - Parameters:
  ///   - now: milliseconds of a clock that does not step back.
  ///   - time: the same moment in civil time.
  ///   - coding: how many parts were coded, and how long that took.
  mutating func look(_ counters: Camera.Counters, coding: Histogram.Counted, hold: Ticks?, now: Int64, time: WallTime) {
    window.note(
      RateWindow.Sample(
        time: now, stills: counters.taken, stillBytes: counters.takenBytes, partBytes: counters.partBytes,
        displaced: counters.displaced, coded: coding.count, codingTime: coding.sum / 1000))
    let minute = window.change(within: 60_000)
    let condition = CameraCondition(
      CameraCondition.Facts(
        source: counters.source, stillAge: counters.lastStill.map { max(0, time.milliseconds - $0.milliseconds) },
        interval: minute.flatMap { $0.stills > 1 ? $0.time / $0.stills : nil }, hold: hold?.milliseconds,
        standing: counters.standing, isVeilEnding: counters.isVeilEnding,
        closedHours: counters.hours.flatMap { $0.isShown ? nil : $0.text }))
    if condition.state != self.condition?.state { since = time }
    self.condition = condition
  }

  /// What it did in the last ten seconds.
  var lately: RateWindow.Sample? { window.change(within: 10_500) }
  /// What it did in the last minute.
  var minute: RateWindow.Sample? { window.change(within: 60_500) }
}
