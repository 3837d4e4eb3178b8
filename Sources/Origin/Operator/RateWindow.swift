/// What a camera did lately: its counters now and some time ago.
struct RateWindow: Sendable {
  /// The counters at one moment.
  struct Sample: Hashable, Sendable {
    /// Milliseconds of a clock that does not step back.
    var time: Int64 = 0
    /// Stills that were accepted, and their bytes.
    var stills: Int64 = 0
    var stillBytes: Int64 = 0
    /// Bytes of the parts that were published: what a viewer of the stream loads.
    var partBytes: Int64 = 0
    /// Stills that a newer one replaced.
    var displaced: Int64 = 0
    /// Slots that were coded, and how long that took in microseconds.
    var coded: Int64 = 0
    var codingTime: Int64 = 0

    static func - (left: Sample, right: Sample) -> Sample {
      Sample(
        time: left.time - right.time, stills: left.stills - right.stills,
        stillBytes: left.stillBytes - right.stillBytes,
        partBytes: left.partBytes - right.partBytes, displaced: left.displaced - right.displaced,
        coded: left.coded - right.coded, codingTime: left.codingTime - right.codingTime)
    }
  }

  /// How far back it reaches, in milliseconds: a minute, and what a late sample needs.
  private static let span: Int64 = 62_000

  private var samples: [Sample] = []

  /// Takes the counters; those that are too old are forgotten. Counters that fall begin anew.
  mutating func note(_ sample: Sample) {
    if let last = samples.last {
      guard sample.time > last.time else { return }
      if sample.stills < last.stills || sample.partBytes < last.partBytes { samples = [] }
    }
    samples.append(sample)
    samples.removeFirst(samples.firstIndex { sample.time - $0.time <= Self.span } ?? 0)
  }

  /// What was done in the last time before the newest sample: at most so many milliseconds, less right after the start.
  /// `nil` before there are two samples.
  func change(within milliseconds: Int64) -> Sample? {
    guard let last = samples.last, let first = samples.first(where: { last.time - $0.time <= milliseconds }),
      first.time < last.time
    else { return nil }
    return last - first
  }
}
