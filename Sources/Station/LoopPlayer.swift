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
  private var loop: Loop
  private var next = 0
  /// The place in a round of cached names; `nil` where none is being played.
  private var round: Int?

  init(builtIn: Loop, timeline: TimelineSettings, logger: Logger) {
    self.timeline = timeline
    self.builtIn = builtIn
    self.logger = logger
    loop = builtIn
  }

  /// Whether the loop is the house picture.
  var isBuiltIn: Bool { loop.isBuiltIn }

  /// Puts in the loop that is played from now on; `nil` for the house picture.
  mutating func load(_ loop: Loop?) {
    self.loop = loop ?? builtIn
    next = 0
    round = nil
  }

  /// Begins somewhere in the loop, so that it does not always begin alike.
  mutating func enterAnywhere(using generator: inout some RandomNumberGenerator) {
    next = Int.random(in: 0..<loop.count, using: &generator)
  }

  /// Notes that something else than the loop is shown.
  ///
  /// - Returns: whether the timeline of cached names ends here.
  mutating func leave() -> Bool {
    defer { round = nil }
    return round != nil
  }

  /// The next segment, its place where it keeps its name, and whether a discontinuity stands before it. A loop that
  /// cannot be read is told, and the house picture stands in for it from then on.
  mutating func advance(_ style: Style) -> (segment: Loop.Segment, place: Scene.Place?, isDiscontinuous: Bool) {
    let isCached = style == .cached
    if isCached, round == nil { next = 0 }
    let segment: Loop.Segment
    do {
      segment = try loop.segment(next)
    } catch {
      logger.error("the loop cannot be read and the house picture is shown instead; make it again: \(error)")
      let wasCached = leave()
      load(nil)
      // It lies in memory, so reading it cannot fail.
      guard let house = try? builtIn.segment(0) else { preconditionFailure("the house picture lies in memory") }
      return (house, nil, wasCached)
    }
    next = (next + 1) % loop.count
    guard isCached else { return (segment, nil, leave()) }
    let index = round ?? 0
    round = (index + 1) % roundLength
    var content = ByteBuffer()
    for picture in segment.pictures { content.writeImmutableBuffer(picture.bytes) }
    let name = SegmentName(loop: content.fingerprint, index: index)
    return (segment, Scene.Place(name: name, mediaStart: timeline.segment * Int64(index)), index == 0)
  }

  /// How many segments a round of cached names has: whole turns of the loop.
  private var roundLength: Int {
    let turn = timeline.segment.count * Int64(loop.count)
    return loop.count * Int(max(1, (Self.shortestRound.count + turn - 1) / turn))
  }
}
