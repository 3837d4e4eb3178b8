import Logging
import Media
import NIOCore
import Packager

/// Plays a loop again and again: says which of its segments comes next, and under which name.
struct LoopPlayer: Sendable {
  /// The shortest round with repeated names: discontinuities have a cost in players.
  private static let shortestRound = Ticks.seconds(60)

  private let timeline: TimelineSettings
  private let builtIn: Loop
  private let logger: Logger
  /// Opens the operator's loop as it is now; `nil` if there is none.
  private let stored: @Sendable () -> Loop?
  private var loop: Loop
  private var next = 0
  /// The position in a round of cached names; `nil` if none is being played.
  private var round: Int?

  /// A player that shows the slate until a loop is loaded.
  init(builtIn: Loop, timeline: TimelineSettings, logger: Logger, stored: @escaping @Sendable () -> Loop?) {
    self.timeline = timeline
    self.builtIn = builtIn
    self.logger = logger
    self.stored = stored
    loop = builtIn
  }

  /// Whether the loop is the slate.
  var isBuiltIn: Bool { loop.isBuiltIn }

  /// Uses the operator's newest loop, or the slate if there is none.
  mutating func load() {
    loop = stored() ?? builtIn
    next = 0
    round = nil
  }

  /// Begins at a random segment of the loop, so that it does not always begin alike.
  mutating func enterAnywhere(using generator: inout some RandomNumberGenerator) {
    next = Int.random(in: 0..<loop.count, using: &generator)
  }

  /// The next segment for a veil; `nil`, logged, if it cannot be read.
  ///
  /// - Parameters:
  ///   - isFirst: whether the veil starts with it.
  ///   - beginsAnew: whether segments are skipped that do not begin with a new picture.
  ///   - expected: the slot offset of the camera's next expected still. A recorded loop begins, and starts again, where
  ///     it has a still with the same slot offset, so that its stills and the camera's are in step, and events can have
  ///     the camera's times.
  mutating func advanceUnderVeil(
    isFirst: Bool, beginsAnew: Bool, expected: Ticks?, using generator: inout some RandomNumberGenerator
  ) -> LoopSegment? {
    if let expected, beginsAnew || next == 0 || next >= loop.count - loop.count / 8 {
      // A loop that begins near its end starts again soon.
      let range = 0..<max(1, beginsAnew ? loop.count * 7 / 8 : loop.count / 2)
      let fitting = LoopFit(range.map(loop.slotOffset), expected: expected, slack: Ticks(timeline.part.count / 32))
      if beginsAnew, !isFirst {
        // Pictures of the previous loop may have been shown: they must not be repeated so soon.
        next = fitting.place(notBefore: next) ?? next
      } else if isFirst || next == 0 || fitting.isClose {
        next = fitting.places.randomElement(using: &generator) ?? next
      }
    }
    for _ in 0..<loop.count where beginsAnew && !loop.beginsWithNewPicture(next) { next = (next + 1) % loop.count }
    guard let segment = read(next) else {
      load()
      return nil
    }
    next = (next + 1) % loop.count
    return segment
  }

  /// Notes that something other than the loop is shown.
  ///
  /// - Returns: whether the timeline of cached names ends here.
  mutating func leave() -> Bool {
    defer { round = nil }
    return round != nil
  }

  /// The next segment, its position if it keeps its name, and whether a discontinuity comes before it.
  mutating func advance(_ style: CameraSettings.OffStyle) -> (
    segment: LoopSegment, place: LoopPlace?, isDiscontinuous: Bool
  ) {
    let isCached = style == .cached
    if isCached, round == nil { next = 0 }
    guard let segment = read(next) else {
      let wasCached = leave()
      load()
      if let segment = read(0) {
        next = 1 % loop.count
        return (segment, nil, wasCached)
      }
      loop = builtIn
      guard let slate = try? builtIn.segment(0) else { preconditionFailure("the slate is in memory") }
      return (slate, nil, wasCached)
    }
    next = (next + 1) % loop.count
    guard isCached else { return (segment, nil, leave()) }
    let index = round ?? 0
    round = (index + 1) % roundLength
    // The same pictures on another grid give other bytes.
    var content = ByteBuffer(string: "\(timeline.step) \(timeline.part) \(timeline.segment) ")
    for picture in segment.pictures { content.writeImmutableBuffer(picture.bytes) }
    let name = SegmentName(loop: content.fingerprint, index: index)
    return (segment, LoopPlace(name: name, mediaStart: timeline.segment * Int64(index)), index == 0)
  }

  /// A segment of the loop; `nil`, logged, if it cannot be read. A loop that was made again while it plays cannot be
  /// read.
  private func read(_ index: Int) -> LoopSegment? {
    do {
      return try loop.segment(index)
    } catch {
      logger.warning("the loop cannot be read; its newest version is used, or else the slate: \(error)")
      return nil
    }
  }

  /// How many segments a round of cached names has: whole turns of the loop.
  private var roundLength: Int {
    let turn = timeline.segment.count * Int64(loop.count)
    return loop.count * Int(max(1, (Self.shortestRound.count + turn - 1) / turn))
  }
}
