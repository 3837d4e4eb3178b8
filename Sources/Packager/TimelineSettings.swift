import Media

/// How media time is divided: the grid of the pictures, the parts, the segments, and how many are listed.
package struct TimelineSettings: Hashable, Sendable {
  /// The time from one picture to the next.
  package let step: Ticks
  /// The part target: the length of every part, a whole number of steps.
  package let part: Ticks
  /// The length of every segment: a whole number of parts and of seconds, which is also the target duration.
  package let segment: Ticks
  /// How many complete segments a playlist lists.
  package let listedSegments: Int
  /// The length of the segments of `plain.m3u8`.
  private let plainSegment: Ticks

  /// Why a timeline is refused.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The setting that is wrong: `rate`, `part`, `segment`, `window` or `plain-segment`.
    package let setting: String
    /// What is wrong and which values are accepted.
    package let description: String
  }

  /// What a timeline is made of, before the rules between them are checked. The initial values are the defaults.
  package struct Lengths: Hashable, Sendable {
    /// Pictures a second, 1 to 30, dividing 90,000.
    package var rate = 2
    /// The length of a part, 0.2 to 6 seconds.
    package var part = Ticks.seconds(2)
    /// The length of a segment, 1 to 60 seconds.
    package var segment = Ticks.seconds(30)
    /// How many complete segments a playlist lists, 6 to 100.
    package var window = 6
    /// The length of the segments of `plain.m3u8`, 1 to 10 whole seconds.
    package var plainSegment = Ticks.seconds(1)

    /// The defaults.
    package init() {}
  }

  /// The timeline where nothing is configured.
  package static let standard = TimelineSettings(unchecked: Lengths())

  /// A timeline of these lengths, or the first rule that they break.
  package init(_ lengths: Lengths) throws(Problem) {
    try self.init(
      rate: Int64(lengths.rate), part: lengths.part, segment: lengths.segment, listedSegments: lengths.window,
      plainSegment: lengths.plainSegment)
  }

  private init(unchecked lengths: Lengths) {
    step = Ticks(Ticks.perSecond / Int64(lengths.rate))
    part = lengths.part
    segment = lengths.segment
    listedSegments = lengths.window
    plainSegment = lengths.plainSegment
  }

  /// A timeline for this many pictures a second, or the first rule that it breaks.
  ///
  /// - Parameters:
  ///   - rate: pictures a second, 1 to 30, dividing 90,000.
  ///   - part: 0.2 to 6 seconds.
  ///   - segment: 1 to 60 seconds.
  ///   - listedSegments: 6 to 100; with fewer than six, slow players lose segments that they still need.
  ///   - plainSegment: the length of the segments of `plain.m3u8`, 1 to 10 whole seconds.
  package init(
    rate: Int64 = Int64(Lengths().rate), part: Ticks = Lengths().part, segment: Ticks = Lengths().segment,
    listedSegments: Int = Lengths().window, plainSegment: Ticks = Lengths().plainSegment
  ) throws(Problem) {
    guard (1...30).contains(rate), Ticks.perSecond % rate == 0 else {
      throw Problem(setting: "rate", description: "\(rate) pictures a second; accepted: 1 to 30 that divide 90000")
    }
    let step = Ticks(Ticks.perSecond / rate)
    guard part >= .milliseconds(200), part <= .seconds(6), part.isMultiple(of: step) else {
      throw Problem(
        setting: "part", description: "\(part); accepted: 0.2 to 6 seconds in whole picture intervals of \(step)")
    }
    guard segment >= .seconds(1), segment <= .seconds(60), segment.isMultiple(of: part),
      segment.isMultiple(of: .seconds(1))
    else {
      throw Problem(
        setting: "segment",
        description: "\(segment); accepted: 1 to 60 whole seconds that are a whole number of parts of \(part)")
    }
    guard segment.count / step.count >= 2 else {
      throw Problem(
        setting: "segment", description: "\(segment) at \(rate) pictures a second is one picture; accepted: two or more"
      )
    }
    guard (6...100).contains(listedSegments) else {
      throw Problem(setting: "window", description: "\(listedSegments) segments; accepted: 6 to 100")
    }
    guard plainSegment >= .seconds(1), plainSegment <= .seconds(10), plainSegment.isMultiple(of: .seconds(1)) else {
      throw Problem(setting: "plain-segment", description: "\(plainSegment); accepted: 1 to 10 whole seconds")
    }
    self.step = step
    self.part = part
    self.segment = segment
    self.listedSegments = listedSegments
    self.plainSegment = plainSegment
  }

  private init(step: Ticks, segmentWithoutParts segment: Ticks) {
    self.step = step
    part = segment
    self.segment = segment
    plainSegment = segment
    // Some players begin ten seconds behind.
    listedSegments = max(6, Int(Ticks.seconds(12).floorDivided(by: segment)))
  }

  /// The timeline of `plain.m3u8`, for players that ignore parts and run three segments behind. Players fail at
  /// segments of a single picture, so every segment has more.
  package var plain: TimelineSettings {
    let shortest = step < .seconds(1) ? Ticks.seconds(1) : .seconds(2)
    return TimelineSettings(step: step, segmentWithoutParts: max(plainSegment, shortest))
  }

  /// Pictures in one part.
  package var stepsPerPart: Int { Int(part.count / step.count) }
  /// Parts in one segment.
  package var partsPerSegment: Int { Int(segment.count / part.count) }
  /// Whole seconds of a segment, for EXT-X-TARGETDURATION.
  package var targetDuration: Int { Int(segment.count / Ticks.perSecond) }
}
