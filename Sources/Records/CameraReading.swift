/// What the counters of a camera say at one moment.
package struct CameraReading: Hashable, Sendable {
  /// What viewers are shown.
  package enum Shown: String, Hashable, Sendable {
    /// The camera, or the loop for one of three reasons.
    case live, off, paused, veiled
  }

  /// The camera.
  package let camera: String
  /// What is shown now.
  package var shown: Shown
  /// Stills that were accepted since the process started, and their bytes.
  package var stills: Int64
  package var stillBytes: Int64
  /// Waves since then.
  package var waves: Int64

  /// A reading with these numbers.
  package init(camera: String, shown: Shown, stills: Int64, stillBytes: Int64, waves: Int64) {
    (self.camera, self.shown, self.stills, self.stillBytes, self.waves) = (camera, shown, stills, stillBytes, waves)
  }
}

/// Turns counters that only grow into the sums of hours: what was counted since the last reading belongs to the hour of
/// this one.
package struct HourTally: Sendable {
  private struct Known {
    var reading: CameraReading
    /// Milliseconds of what is shown now that are no whole second yet.
    var rest: Int64 = 0
  }

  private var known: [String: Known] = [:]
  private var sent: [String: SentBytes] = [:]
  private var watched: [String: Int64] = [:]

  /// No reading yet.
  package init() {}

  /// What happened since the last reading.
  ///
  /// - Parameters:
  ///   - elapsed: milliseconds since then; 0 for the first reading.
  ///   - watched: seconds watched since the process started, by camera.
  ///   - viewers: the viewers now, by camera.
  package mutating func take(
    _ readings: [CameraReading], sent: [String: SentBytes], watched: [String: Int64], viewers: [String: Int],
    elapsed: Int64
  ) -> [String: Sums] {
    var result: [String: Sums] = [:]
    for reading in readings {
      var sums = Sums()
      let before = known[reading.camera]?.reading
      sums.stills = Self.growth(from: before?.stills, to: reading.stills)
      sums.stillBytes = Self.growth(from: before?.stillBytes, to: reading.stillBytes)
      sums.waves = Self.growth(from: before?.waves, to: reading.waves)
      let time = (known[reading.camera]?.rest ?? 0) + max(0, elapsed)
      switch reading.shown {
      case .live: break
      case .off: sums.offSeconds = time / 1000
      case .paused: sums.pausedSeconds = time / 1000
      case .veiled: sums.veiledSeconds = time / 1000
      }
      known[reading.camera] = Known(reading: reading, rest: time % 1000)
      sums.mostViewers = Int64(viewers[reading.camera] ?? 0)
      result[reading.camera] = sums
    }
    for (camera, count) in watched {
      result[camera, default: Sums()].watchedSeconds = Self.growth(from: self.watched[camera], to: count)
    }
    for (camera, bytes) in sent {
      result[camera, default: Sums()].sent = bytes.since(self.sent[camera] ?? SentBytes())
    }
    (self.sent, self.watched) = (sent, watched)
    let names = Set(readings.map(\.camera))
    known = known.filter { names.contains($0.key) }
    return result.filter { !$0.value.isEmpty }
  }

  /// How much a counter grew; one that is less than before began anew.
  private static func growth(from before: Int64?, to now: Int64) -> Int64 {
    guard let before, before <= now else { return now }
    return now - before
  }
}
