import Media

/// What happened at one camera within some time: sums, and nothing about any single visitor.
package struct Sums: Hashable, Sendable {
  /// The most viewers at the same time.
  package var mostViewers: Int64 = 0
  /// Seconds that all viewers together watched.
  package var watchedSeconds: Int64 = 0
  /// Visitors' waves.
  package var waves: Int64 = 0
  /// Stills that were accepted.
  package var stills: Int64 = 0
  /// Bytes of these stills.
  package var stillBytes: Int64 = 0
  /// Seconds for which the loop was shown because no stills came.
  package var offSeconds: Int64 = 0
  /// Seconds for which it was shown because the operator had paused the camera.
  package var pausedSeconds: Int64 = 0
  /// Seconds for which it was shown as if it were live; for the operator alone.
  package var veiledSeconds: Int64 = 0
  /// Bytes out: bodies, and heads as HTTP/1.1 writes them.
  package var sent = SentBytes()

  /// Nothing happened.
  package init() {}

  /// Whether nothing happened.
  package var isEmpty: Bool { self == Sums() }

  /// Adds what happened besides; of the most viewers the greater number stays.
  package static func += (left: inout Sums, right: Sums) {
    left.mostViewers = max(left.mostViewers, right.mostViewers)
    left.watchedSeconds += right.watchedSeconds
    left.waves += right.waves
    left.stills += right.stills
    left.stillBytes += right.stillBytes
    left.offSeconds += right.offSeconds
    left.pausedSeconds += right.pausedSeconds
    left.veiledSeconds += right.veiledSeconds
    left.sent += right.sent
  }
}

/// One hour of one camera. Hours and days are those of UTC.
package struct CameraHour: Hashable, Sendable {
  /// The camera; empty for what belongs to none, such as the element's script and the list of the cameras.
  package let camera: String
  /// Whole hours since 1970-01-01T00:00:00Z.
  package let hour: Int64

  /// An hour of a camera.
  package init(camera: String, hour: Int64) {
    (self.camera, self.hour) = (camera, hour)
  }
}

/// One day of one camera, in UTC.
package struct CameraDay: Hashable, Sendable {
  /// The camera.
  package let camera: String
  /// Whole days since 1970-01-01.
  package let day: Int64

  /// A day of a camera.
  package init(camera: String, day: Int64) {
    (self.camera, self.day) = (camera, day)
  }
}

/// The sums of one period of one camera, as they are read from the database.
package struct PeriodSums: Hashable, Sendable {
  /// How long a period is.
  package enum Length: String, Sendable, CaseIterable {
    /// An hour, a day or a month of UTC.
    case hour, day, month
  }

  /// The camera; empty for what belongs to none.
  package let camera: String
  /// Its beginning in UTC: `2026-11-29T21:00Z`, `2026-11-29` or `2026-11`.
  package let period: String
  /// When it begins, in seconds since 1970-01-01T00:00:00Z.
  package let begin: Int64
  /// What happened in it.
  package let sums: Sums
  /// The visitors of a day; `nil` for hours and months, because visitors of two days cannot be told apart and are never
  /// added up.
  package let visitors: Int64?

  package init(camera: String, period: String, begin: Int64, sums: Sums, visitors: Int64?) {
    (self.camera, self.period, self.begin, self.sums, self.visitors) = (camera, period, begin, sums, visitors)
  }
}

extension WallTime {
  /// Whole hours since 1970-01-01T00:00:00Z.
  package var hour: Int64 { Ticks(milliseconds).floorDivided(by: Ticks(3_600_000)) }
  /// Whole days since 1970-01-01.
  package var day: Int64 { Ticks(milliseconds).floorDivided(by: Ticks(86_400_000)) }
}
