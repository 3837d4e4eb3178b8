import Media
import NIOCore
import Packager

/// Plays a loop again and again: says which of its segments comes next, and under which name.
///
/// It plays what the reader has in memory and never waits for the disk. Where the next segment is not there, the one
/// before is played once more, or the slate.
struct LoopPlayer: Sendable {
  /// The shortest round with repeated names: discontinuities have a cost in players.
  private static let shortestRound = Ticks.seconds(60)

  private let timeline: TimelineSettings
  private let builtIn: Loop
  private let reader: LoopReader
  private var loop: Loop
  private var generation = 0
  private var next = 0
  /// The segment that was played last; `nil` where none was of this loop.
  private var last: LoopSegment?
  /// The position in a round of cached names; `nil` if none is being played.
  private var round: Int?
  /// The segment that is read ahead for a veil.
  private var prepared: Int?

  /// A player that shows the slate until a loop is loaded.
  init(builtIn: Loop, timeline: TimelineSettings, reader: LoopReader) {
    self.timeline = timeline
    self.builtIn = builtIn
    self.reader = reader
    loop = builtIn
  }

  /// Whether the loop is the slate.
  var isBuiltIn: Bool { loop.isBuiltIn }

  /// Takes up the operator's newest loop from its beginning, or the slate where there is none.
  mutating func load() {
    reader.load()
    takeUp()
  }

  private mutating func takeUp() {
    let newest = reader.newest
    if newest.generation != generation { last = nil }
    (loop, generation) = (newest.loop ?? builtIn, newest.generation)
    next = 0
    round = nil
    prepared = nil
    want()
  }

  /// Has the segments read that may be played next: the following one, and the first for whoever begins.
  private func want() {
    if !loop.isBuiltIn { reader.want([prepared, next, 0].compactMap { $0 }) }
  }

  /// A segment of the loop. A loop that was made anew while it plays is one that cannot be read.
  private func read(_ index: Int) -> LoopReader.Answer {
    if loop.isBuiltIn, reader.newest.generation == generation, let slate = try? loop.segment(index) {
      return .ready(slate)
    }
    return reader.segment(index, generation: generation)
  }

  /// Reads ahead from now on.
  mutating func beginReadingAhead() {
    reader.begin()
    want()
  }

  // MARK: An off camera

  /// Notes that something other than the loop is shown.
  ///
  /// - Returns: whether the timeline of cached names ends here.
  mutating func leave() -> Bool {
    defer { round = nil }
    return round != nil
  }

  /// Has the loop ready for a camera that is shown: the newest one, and its first segment.
  mutating func standBy() {
    guard reader.isAhead else { return }
    reader.look()
    if reader.newest.generation != generation { takeUp() }
    next = 0
    want()
  }

  /// The next segment, its position if it keeps its name, and whether a discontinuity comes before it.
  mutating func advance(
    _ style: CameraSettings.OffStyle
  ) -> (segment: LoopSegment, place: LoopPlace?, isDiscontinuous: Bool) {
    let isCached = style == .cached
    if isCached, round == nil { next = 0 }
    let segment: LoopSegment
    switch read(next) {
    case .ready(let found):
      segment = found
      next = (next + 1) % loop.count
    case .pending:
      guard let last else { return (slate, nil, leave()) }
      segment = last
    case .failed: return takeUpNewest()
    }
    last = segment
    prepared = nil
    want()
    guard isCached else { return (segment, nil, leave()) }
    let index = round ?? 0
    round = (index + 1) % roundLength
    // The same pictures on another grid give other bytes.
    var content = ByteBuffer(string: "\(timeline.step) \(timeline.part) \(timeline.segment) ")
    for picture in segment.pictures { content.writeImmutableBuffer(picture.bytes) }
    let name = SegmentName(loop: content.fingerprint, index: index)
    return (segment, LoopPlace(name: name, mediaStart: timeline.segment * Int64(index)), index == 0)
  }

  /// Goes on with the newest loop where this one cannot be read, or with the slate.
  private mutating func takeUpNewest() -> (
    segment: LoopSegment, place: LoopPlace?, isDiscontinuous: Bool
  ) {
    let wasCached = leave()
    if reader.newest.generation == generation { reader.reload() }
    takeUp()
    if case .ready(let segment) = read(0) {
      next = 1 % loop.count
      last = segment
      want()
      return (segment, nil, wasCached)
    }
    // What is read ahead may be there for the next segment.
    if !reader.isAhead { loop = builtIn }
    return (slate, nil, wasCached)
  }

  private var slate: LoopSegment {
    guard let slate = try? builtIn.segment(0) else {
      preconditionFailure("the slate is in memory")
    }
    return slate
  }

  /// How many segments a round of cached names has: whole turns of the loop.
  private var roundLength: Int {
    let turn = timeline.segment.count * Int64(loop.count)
    return loop.count * Int(max(1, (Self.shortestRound.count + turn - 1) / turn))
  }

  // MARK: A veil

  /// Begins at a random segment of the loop, so that it does not always begin alike.
  mutating func enterAnywhere(using generator: inout some RandomNumberGenerator) {
    next = prepared ?? Int.random(in: 0..<loop.count, using: &generator)
  }

  /// Has the segment read that a veil would show next.
  ///
  /// - Parameters: as for `advanceUnderVeil`.
  mutating func prepareVeil(
    isFirst: Bool, beginsAnew: Bool, expected: Ticks?,
    using generator: inout some RandomNumberGenerator
  ) {
    guard reader.isAhead, !loop.isBuiltIn else { return }
    var copy = self
    if isFirst { copy.next = Int.random(in: 0..<loop.count, using: &generator) }
    prepared = copy.places(isFirst: isFirst, beginsAnew: beginsAnew, expected: expected)
      .randomElement(using: &generator)
    want()
  }

  /// The next segment for a veil; `nil` where it cannot be read, or was not yet.
  ///
  /// - Parameters:
  ///   - isFirst: whether the veil starts with it.
  ///   - beginsAnew: whether segments are skipped that do not begin with a new picture.
  ///   - expected: how long after the collecting for its first slot has begun the camera's next still is expected. A
  ///     loop is begun, and comes round, where it has a still that came alike: so its stills and the camera's go in
  ///     step, and events can tell the times of these.
  mutating func advanceUnderVeil(
    isFirst: Bool, beginsAnew: Bool, expected: Ticks?,
    using generator: inout some RandomNumberGenerator
  ) -> LoopSegment? {
    let places = places(isFirst: isFirst, beginsAnew: beginsAnew, expected: expected)
    let ready = prepared
    prepared = nil
    next =
      ready.flatMap { places.contains($0) ? $0 : nil } ?? places.randomElement(using: &generator)
      ?? next
    var answer = read(next)
    if case .pending = answer, let ready, case .ready = read(ready) {
      // It fits less well, and it is there.
      next = ready
      answer = read(ready)
    }
    switch answer {
    case .ready(let segment):
      next = (next + 1) % loop.count
      last = segment
      want()
      return segment
    case .pending:
      want()
      return nil
    case .failed:
      if reader.newest.generation == generation { reader.reload() }
      takeUp()
      return nil
    }
  }

  /// The segments that a veil may go on with.
  private func places(isFirst: Bool, beginsAnew: Bool, expected: Ticks?) -> [Int] {
    var places = [next]
    if let expected, beginsAnew || next == 0 || next >= loop.count - loop.count / 8 {
      // A loop that begins near its end starts again soon.
      let range = 0..<max(1, beginsAnew ? loop.count * 7 / 8 : loop.count / 2)
      let fitting = LoopFit(
        range.map(loop.slotOffset), expected: expected, slack: Ticks(timeline.part.count / 32))
      if beginsAnew, !isFirst {
        // Pictures of the previous loop may have been shown: they must not be repeated so soon.
        places = [fitting.place(notBefore: next) ?? next]
      } else if isFirst || next == 0 || fitting.isClose, !fitting.places.isEmpty {
        places = fitting.places
      }
    }
    return beginsAnew ? places.map(firstBeginningAnew) : places
  }

  /// The first segment from one on at whose beginning a new picture shows.
  private func firstBeginningAnew(from index: Int) -> Int {
    (0..<loop.count).lazy.map { (index + $0) % loop.count }.first { loop.beginsWithNewPicture($0) }
      ?? index
  }
}
