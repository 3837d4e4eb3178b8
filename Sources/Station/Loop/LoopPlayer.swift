import Logging
import Media
import NIOCore
import Packager

/// Turns a loop round and round: says which of its segments comes next, and under which name.
struct LoopPlayer: Sendable {
  /// How the loop is spliced into the stream.
  enum Style: Sendable {
    /// Fresh names on a timeline that goes on: the splice that every player takes.
    case seamless
    /// The same names on each round, with a discontinuity at its seam: caches have it all after one round.
    case cached
  }

  /// The shortest round with names that come again: discontinuities have their price in players.
  private static let shortestRound = Ticks.seconds(60)

  private let timeline: TimelineSettings
  private let builtIn: Loop
  private let logger: Logger
  /// Opens the operator's loop as it is now; `nil` where there is none.
  private let stored: @Sendable () -> Loop?
  private var loop: Loop
  private var next = 0
  /// The place in a round of cached names; `nil` where none is being played.
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

  /// Takes up the operator's newest loop, or the slate where there is none.
  mutating func load() {
    loop = stored() ?? builtIn
    next = 0
    round = nil
  }

  /// Begins somewhere in the loop, so that it does not always begin alike.
  mutating func enterAnywhere(using generator: inout some RandomNumberGenerator) {
    next = Int.random(in: 0..<loop.count, using: &generator)
  }

  /// The next segment for a veil; `nil`, told, where it cannot be read.
  ///
  /// - Parameters:
  ///   - isFirst: whether the veil falls with it.
  ///   - beginsAnew: whether those are passed over at whose beginning no new picture shows.
  ///   - expected: how long after the collecting for its first slot has begun the camera's next still is expected. A
  ///     recording is begun, and comes round, where it has a still that came alike: so its stills and the camera's go
  ///     in step, and events can tell the times of these.
  mutating func advanceUnderVeil(
    isFirst: Bool, beginsAnew: Bool, expected: Ticks?, using generator: inout some RandomNumberGenerator
  ) -> Loop.Segment? {
    if let expected, beginsAnew || next == 0 || next >= loop.count - loop.count / 8 {
      // Who begins near the end comes round soon.
      let range = 0..<max(1, beginsAnew ? loop.count * 7 / 8 : loop.count / 2)
      let fitting = LoopFit(range.map(loop.since), expected: expected, slack: Ticks(timeline.part.count / 32))
      if beginsAnew, !isFirst {
        // Pictures of the one before may have been shown: they must not come again so soon.
        next = fitting.place(notBefore: next) ?? next
      } else if isFirst || next == 0 || fitting.isClose {
        next = fitting.places.randomElement(using: &generator) ?? next
      }
    }
    for _ in 0..<loop.count where beginsAnew && !loop.beginsAnew(next) { next = (next + 1) % loop.count }
    guard let segment = read(next) else {
      load()
      return nil
    }
    next = (next + 1) % loop.count
    return segment
  }

  /// Notes that something else than the loop is shown.
  ///
  /// - Returns: whether the timeline of cached names ends here.
  mutating func leave() -> Bool {
    defer { round = nil }
    return round != nil
  }

  /// The next segment, its place where it keeps its name, and whether a discontinuity stands before it.
  mutating func advance(_ style: Style) -> (segment: Loop.Segment, place: Scene.Place?, isDiscontinuous: Bool) {
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
      guard let slate = try? builtIn.segment(0) else { preconditionFailure("the slate lies in memory") }
      return (slate, nil, wasCached)
    }
    next = (next + 1) % loop.count
    guard isCached else { return (segment, nil, leave()) }
    let index = round ?? 0
    round = (index + 1) % roundLength
    // The same pictures on another grid make other bytes.
    var content = ByteBuffer(string: "\(timeline.step) \(timeline.part) \(timeline.segment) ")
    for picture in segment.pictures { content.writeImmutableBuffer(picture.bytes) }
    let name = SegmentName(loop: content.fingerprint, index: index)
    return (segment, Scene.Place(name: name, mediaStart: timeline.segment * Int64(index)), index == 0)
  }

  /// A segment of the loop; `nil`, told, where it cannot be read. A loop that was made anew while it plays is one that
  /// cannot be read.
  private func read(_ index: Int) -> Loop.Segment? {
    do {
      return try loop.segment(index)
    } catch {
      logger.warning("the loop cannot be read; its newest state is taken up, or else the slate: \(error)")
      return nil
    }
  }

  /// How many segments a round of cached names has: whole turns of the loop.
  private var roundLength: Int {
    let turn = timeline.segment.count * Int64(loop.count)
    return loop.count * Int(max(1, (Self.shortestRound.count + turn - 1) / turn))
  }
}
