import Logging
import Media
import NIOCore
import Packager

/// Decides what each segment of a camera shows, once and completely: asks the director, takes the loop's segment from
/// the player, and starts and ends the veil in step with the camera.
struct Programme: Sendable {
  private let style: CameraSettings.OffStyle
  private let marksRecorded: Bool
  private let hasVeilTimes: Bool
  private let segmentLength: Ticks
  private let logger: Logger
  private var director: Director
  private var player: LoopPlayer
  private var veiling = Veiling()
  private var generator = SystemRandomNumberGenerator()
  /// What the current segment shows.
  private(set) var segmentContent = SegmentContent.live
  /// The same before the first segment and after a withdrawal: the loop is then shown, whatever was shown before.
  private var shown: Director.Source
  private var hasBegun = false
  private var hasToldOfVeil = false
  /// The last picture before the loop's picture stays, and what repeats it.
  private var stays: (picture: CodedPicture, skipped: SkippedPicture)?
  /// Whether live pictures are encoded with less work than the loop was. Under a veil, the loop's pictures are then
  /// encoded in the same way, in place of the camera's stills.
  var isSteppedDown = false

  /// A programme that has decided nothing yet.
  init(_ settings: CameraSettings, director: Director, player: LoopPlayer, logger: Logger) {
    style = settings.off
    marksRecorded = settings.marksRecorded
    hasVeilTimes = settings.veil != nil
    segmentLength = settings.timeline.segment
    self.director = director
    self.player = player
    self.logger = logger
    shown = director.source
  }

  /// The operator's commands that are in force.
  var standing: Director.Standing { director.standing }

  /// Whether the camera is within its hours.
  var isWithinHours: Bool {
    get { director.isWithinHours }
    set { director.isWithinHours = newValue }
  }

  /// Whether the camera sends stills, whatever is shown.
  func isOn(at now: Ticks) -> Bool { director.isOn(at: now) }

  /// Whether a veil can begin: at random times, or by order if there is a loop to show.
  var mayBeVeiled: Bool { hasVeilTimes || !player.isBuiltIn || director.standing.isVeiled }

  /// Whether a veil is ordered, or on since the last decision. A slot that is veiled without it belongs to the end of a
  /// veil, which waits until the camera's stills fit to the loop.
  var isVeilWanted: Bool { director.isVeilWanted }

  /// Whether pictures are coded for the current segment, and not only played.
  var codesPictures: Bool {
    switch segmentContent {
    case .live: true
    case .veiled: veiling.mode == .covering || veiling.mode == .revealing
    case .off, .paused: false
    }
  }

  // MARK: What happens

  /// Notes that a still came.
  mutating func stillArrived(at now: Ticks) { director.stillArrived(at: now) }

  /// Takes a command.
  mutating func take(_ order: Director.Order) {
    director.take(order)
    hasToldOfVeil = false
  }

  /// Shows the loop, from its beginning, until it is resumed.
  mutating func withdraw() {
    director.withdraw()
    stays = nil
    _ = player.leave()
    player.load()
    shown = .paused
  }

  // MARK: Segments

  /// Whether what is shown must give way before its segment ends: the operator paused or resumed the camera, or it went
  /// off or came back. The veil keeps to whole segments, because a shorter one would tell of it.
  func mustChange(at now: Ticks) -> Bool { director.looksLive(at: now) != segmentContent.source.looksLive }

  /// Whether another segment can take the place of the one that was decided, after so many of its parts. Names that
  /// come again stand for whole segments, and the discontinuity before them is announced with the segment before.
  func canChange(afterParts count: Int) -> Bool { style == .seamless || (count > 0 && segmentContent.place == nil) }

  /// Decides what the next segment shows.
  ///
  /// - Parameters:
  ///   - now: when it is decided.
  ///   - outlook: what is expected of the camera's stills when the segment begins.
  mutating func next(at now: Ticks, _ outlook: StillOutlook) -> PlannedSegment {
    var source = director.decide(at: now)
    if source == .live, shown == .veiled {
      if veiling.stays(isInStep: outlook.isInStep, segment: segmentLength) { source = .veiled }
    } else {
      veiling.goOn()
    }
    if source != .veiled { veiling.end() }
    switch source {
    case .live:
      let isDiscontinuous = player.leave()
      player.standBy()
      return planned(.live, isDiscontinuous: isDiscontinuous)
    case .veiled:
      let isDiscontinuous = player.leave()
      return planned(veiledContent(outlook), isDiscontinuous: isDiscontinuous)
    case .off, .paused:
      if !shown.isRecorded { player.load() }
      return nextOfLoop(isPaused: source == .paused)
    }
  }

  /// The next segment of the loop.
  mutating func nextOfLoop(isPaused: Bool = false) -> PlannedSegment {
    let next = player.advance(style)
    return planned(
      isPaused ? .paused(next.segment, at: next.place) : .off(next.segment, at: next.place),
      isDiscontinuous: next.isDiscontinuous)
  }

  /// Begins a segment that was decided.
  mutating func begin(_ segment: PlannedSegment) {
    stays = nil
    segmentContent = segment.segmentContent
    shown = segmentContent.source
    hasBegun = true
  }

  /// Has what the next segment may need read from disk, a slot before it is decided.
  ///
  /// - Parameter outlook: what is expected of the camera's stills when the segment begins.
  mutating func prepare(_ outlook: StillOutlook) {
    guard director.mayVeil else { return }
    player.prepareVeil(
      outlook.seam, goesOn: shown == .veiled && veiling.isPlaying, after: veiling.covers, using: &generator)
  }

  /// Reads the loop ahead from now on.
  mutating func beginReadingAhead() { player.beginReadingAhead() }

  private func planned(_ segmentContent: SegmentContent, isDiscontinuous: Bool) -> PlannedSegment {
    PlannedSegment(
      segmentContent: segmentContent, isDiscontinuous: isDiscontinuous,
      isMarkedRecorded: marksRecorded && segmentContent.source.isRecorded)
  }

  // MARK: The veil

  /// The next segment under a veil; live pictures if there is no loop, because the slate in a live stream would be
  /// noticed.
  private mutating func veiledContent(_ outlook: StillOutlook) -> SegmentContent {
    let falls = !hasBegun || shown != .veiled
    if falls {
      if !hasBegun || !shown.isRecorded { player.loadForVeil() }
      veiling.fall()
    }
    guard !player.isBuiltIn else {
      if !hasToldOfVeil {
        logger.error("the veil cannot start: the camera has no loop. Make one with `quietcam loop`.")
        hasToldOfVeil = true
      }
      return .live
    }
    // A camera that has stopped, or is shown again soon, has no pictures of its own rhythm: only its stills are covered.
    let mayPlay = !outlook.isSilent && !veiling.isEnding && !isSteppedDown
    let next = player.advanceUnderVeil(
      outlook.seam, goesOn: veiling.isPlaying, mayPlay: mayPlay, after: veiling.covers, using: &generator)
    veiling.begin(next)
    if case .plays(let segment, _) = next { return .veiled(segment) }
    return .veiled(nil)
  }

  /// What the veil does in the current segment.
  var veilMode: Veiling.Mode { veiling.mode }

  /// Shows the camera's stills for what is left of the segment, if the veil only waits to be in step with the camera.
  mutating func reveal() { veiling.reveal() }

  /// What the current slot shows: the camera already, in the last segment of a veil that is in step with it.
  var slotSource: Director.Source {
    if case .veiled = segmentContent, veiling.mode == .revealing { return .live }
    return segmentContent.source
  }

  /// Lets the loop's picture stay until the segment ends, because the camera has stopped.
  ///
  /// - Parameter picture: the last one of the segment that was shown.
  mutating func stand(after picture: CodedPicture) {
    guard veiling.isPlaying,
      let skipped = SliceSyntax(player.parameterSets).flatMap(SkippedPicture.init)
    else { return veiling.stand() }
    stays = (picture, skipped)
    veiling.stand()
  }

  /// Notes that viewers were told of a still that came then: the last picture is held from then on, as if it had.
  mutating func stillReported(at time: Ticks) { director.stillReported(at: time) }

  /// The pictures of a slot in which nothing changes, after `stand`.
  func unchanged(part: Int, _ timeline: TimelineSettings) -> SlotContent {
    let (count, place) = (timeline.stepsPerPart, part * timeline.stepsPerPart)
    let pictures = stays.flatMap { $0.skipped.pictures(after: $0.picture, order: place - 1, count: count) }
    return SlotContent(pictures: pictures ?? player.slate.slot(part, timeline).pictures)
  }

  /// The loop's pictures that cover the next stills under the veil.
  var covers: CoverQueue {
    get { veiling.covers }
    set { veiling.covers = newValue }
  }
}

/// What is expected of a camera's stills when a segment begins.
struct StillOutlook: Sendable {
  /// Whether the next still follows the last reported one as this camera's stills usually do.
  let isInStep: Bool
  /// Whether the camera has stopped.
  let isSilent: Bool
  /// What a segment of the loop has to fit to.
  let seam: LoopSeam
}
