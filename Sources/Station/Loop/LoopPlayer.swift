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
  /// Where in their slots the stills around each segment of the loop came; `nil` where that is no one place.
  private var phases: [Ticks?]
  private var generation = 0
  private var next = 0
  /// The segment that was played last; `nil` where none was of this loop.
  private var last: LoopSegment?
  /// The position in a round of cached names; `nil` if none is being played.
  private var round: Int?
  /// The segments that are read ahead for a veil, the best first.
  private var prepared: [Int] = []
  /// The segments that were shown last, the newest at the end.
  private var recent: [Int] = []
  /// How much later the pictures of the last segment under a veil were said to have come than in the loop.
  private var shift: Ticks?

  /// A player that shows the slate until a loop is loaded.
  init(builtIn: Loop, timeline: TimelineSettings, reader: LoopReader) {
    self.timeline = timeline
    self.builtIn = builtIn
    self.reader = reader
    loop = builtIn
    phases = Self.phases(of: builtIn, slot: timeline.part)
  }

  /// The parameter sets of all pictures that it plays.
  var parameterSets: ParameterSets { builtIn.parameterSets }

  /// Whether the loop is the slate.
  var isBuiltIn: Bool { loop.isBuiltIn }

  /// Takes up the operator's newest loop from its beginning, or the slate where there is none.
  mutating func load() {
    reader.load()
    takeUp()
  }

  private mutating func takeUp() {
    let newest = reader.newest
    let isOther = newest.generation != generation
    if isOther { (last, recent) = (nil, []) }
    (loop, generation) = (newest.loop ?? builtIn, newest.generation)
    if isOther || phases.count != loop.count { phases = Self.phases(of: loop, slot: timeline.part) }
    next = 0
    round = nil
    prepared = []
    shift = nil
    want()
  }

  /// Has the segments read that may be played next: the following one, and the first for whoever begins.
  private func want() {
    if !loop.isBuiltIn { reader.want(prepared + [next, (next + 1) % loop.count, 0]) }
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
      played(next)
    case .pending:
      guard let last else { return (slate, nil, leave()) }
      segment = last
    case .failed: return takeUpNewest()
    }
    last = segment
    prepared = []
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
      played(0)
      last = segment
      want()
      return (segment, nil, wasCached)
    }
    // What is read ahead may be there for the next segment.
    if !reader.isAhead { loop = builtIn }
    return (slate, nil, wasCached)
  }

  /// The slate's only segment: after its first picture nothing changes.
  var slate: LoopSegment {
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

  private mutating func played(_ index: Int) {
    recent = (recent.filter { $0 != index } + [index]).suffix(max(1, loop.count / 2))
    next = (index + 1) % loop.count
  }

  // MARK: A veil

  /// What a segment under a veil shows.
  enum Veiled {
    /// The loop's encoded segment, whose stills came so much later than in the loop.
    case plays(LoopSegment, shift: Ticks)
    /// The pictures of these segments cover the camera's stills; without any, the picture before stays.
    case covers([CoveringSegment])
  }

  /// Takes up the newest loop if it is another one than before. What was read ahead of the same one stays.
  mutating func loadForVeil() {
    reader.look()
    if reader.newest.generation != generation { takeUp() }
  }

  /// How many segments are read ahead for where a veil may begin.
  private static let choices = 3

  /// Has the segments read that a veil may show next.
  ///
  /// - Parameters: as for `advanceUnderVeil`.
  mutating func prepareVeil(
    _ seam: LoopSeam, goesOn: Bool, after covers: CoverQueue, using generator: inout some RandomNumberGenerator
  ) {
    guard reader.isAhead, !loop.isBuiltIn else { return }
    let places = places(seam, goesOn: goesOn, standsBefore: covers.standsBefore, using: &generator)
    prepared = places.prefix(Self.choices).map(\.index)
    // Where none of them can be played in the end, its pictures cover stills: they must not be those shown lately.
    if prepared.allSatisfy(recent.contains) {
      let others = (0..<loop.count).filter { !recent.contains($0) }
      prepared.append(goesOn ? next : others.randomElement(using: &generator) ?? next)
    }
    prepared += covers.places.compactMap { index(of: $0) }
    want()
  }

  /// The next segment under a veil.
  ///
  /// It goes on behind the one before if the loop is played already, and its times still fit. Otherwise the loop begins
  /// at a segment that fits and was not shown lately, so that nothing comes again soon: one that begins with a new
  /// picture, or the one behind the pictures that have covered stills. If none fits, or none that does has been read, the
  /// camera's stills are covered, and the next segment is another chance.
  ///
  /// - Parameters:
  ///   - seam: what the segment has to fit to.
  ///   - goesOn: whether the segment before was of the loop and played.
  ///   - mayPlay: whether the loop may be played at all, and not only cover stills.
  ///   - covers: the pictures that cover stills, and the last one that did.
  mutating func advanceUnderVeil(
    _ seam: LoopSeam, goesOn: Bool, mayPlay: Bool, after covers: CoverQueue,
    using generator: inout some RandomNumberGenerator
  ) -> Veiled {
    let ready = prepared
    prepared = []
    if mayPlay {
      let places = places(seam, goesOn: goesOn, standsBefore: covers.standsBefore, using: &generator)
      // What has been read comes first, then what can be read at once.
      let known = places.filter { ready.contains($0.index) || $0.index == next } + places
      for place in known {
        switch read(place.index) {
        case .ready(let segment):
          took(segment, place.index, shift: place.shift)
          return .plays(segment, shift: place.shift)
        case .pending: continue
        case .failed: return failed()
        }
      }
    }
    return self.covers(ready: ready, spare: covers.count, using: &generator)
  }

  /// The next segments whose pictures cover stills: more of them than one has, because more stills can come than usual.
  private mutating func covers(
    ready: [Int], spare: Int, using generator: inout some RandomNumberGenerator
  ) -> Veiled {
    var (found, spare) = ([CoveringSegment](), spare)
    let others = reader.isAhead ? [] : (0..<loop.count).filter { !recent.contains($0) }
    var index =
      recent.last == next - 1 && next > 0
      ? next : ready.first { !recent.contains($0) } ?? others.randomElement(using: &generator) ?? next
    for _ in 0..<4 where found.isEmpty || spare < 2 + 2 * found[0].segment.changes.count {
      switch read(index) {
      case .ready(let segment):
        found.append(CoveringSegment(segment: segment, next: place(behind: index)))
        spare += segment.changes.count
        took(segment, index, shift: nil)
        index = next
      case .pending:
        want()
        return .covers(found)
      case .failed: return failed()
      }
    }
    return .covers(found)
  }

  private mutating func took(_ segment: LoopSegment, _ index: Int, shift: Ticks?) {
    played(index)
    (last, self.shift) = (segment, shift)
    want()
  }

  private func place(behind index: Int) -> LoopSegmentPlace? {
    index + 1 < loop.count ? LoopSegmentPlace(generation: generation, index: index + 1) : nil
  }

  /// Where a place is in the present loop; `nil` if it is of another.
  private func index(of place: LoopSegmentPlace) -> Int? {
    place.generation == generation && place.index < loop.count ? place.index : nil
  }

  private mutating func failed() -> Veiled {
    if reader.newest.generation == generation { reader.reload() }
    takeUp()
    return .covers([])
  }

  /// How many segments around one say where in their slots its stills come. Where slots were moved meanwhile, fewer do.
  private static let around = [32, 16, 8]

  private static func phases(of loop: Loop, slot: Ticks) -> [Ticks?] {
    let offsets = (0..<loop.count).map { loop.times($0).compactMap(\.slotOffset) }
    return offsets.indices.map { index in
      for count in around {
        let first = min(max(0, index - count / 2), max(0, offsets.count - count))
        let phase = StillRhythm.phase(of: Array(offsets[first...].prefix(count).joined()), slot: slot)
        if let phase { return phase }
      }
      return nil
    }
  }

  /// The segments that a veil can go on with, the best first, and by how much their times are moved.
  private func places(
    _ seam: LoopSeam, goesOn: Bool, standsBefore: LoopSegmentPlace?,
    using generator: inout some RandomNumberGenerator
  ) -> [(index: Int, shift: Ticks)] {
    if goesOn, next > 0, let shift, let kept = seam.continued(loop.times(next), shift: shift, phase: phases[next]) {
      return [(next, kept)]
    }
    // The first picture of a recording can be one whose time is not known, and those behind it are.
    let mayBeUnknown = !(0..<loop.count).contains { loop.times($0).contains { $0.slotOffset != nil } }
    // A segment that does not begin with a new picture begins with the one before it, which then must be shown already.
    let following = standsBefore.flatMap { index(of: $0) }
    let fitting = (0..<loop.count).compactMap { index -> (index: Int, shift: Ticks)? in
      let times = loop.times(index)
      guard times.first?.step == 0 || index == following,
        mayBeUnknown || !times.contains(where: { $0.slotOffset == nil })
      else { return nil }
      return seam.entered(times, phase: phases[index]).map { (index, $0) }
    }
    // What was shown lately comes last, and before that what comes at another place than the camera's stills, and what
    // leads to what was shown lately.
    let ahead = max(1, loop.count / 8)
    return fitting.shuffled(using: &generator).map { place in
      let keepsPlace = seam.keepsPlace(place.shift, phase: phases[place.index])
      if place.index == following { return (place, keepsPlace ? -1 : 3) }
      let isRecent = recent.contains(place.index)
      let leads = (1..<max(2, ahead)).contains { recent.contains((place.index + $0) % loop.count) }
      return (place, (isRecent ? 4 : 0) + (leads ? 2 : 0) + (keepsPlace ? 0 : 3))
    }.sorted { $0.1 < $1.1 }.map(\.0)
  }
}
