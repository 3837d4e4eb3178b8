import Logging
import Media
import Packager
import Picture

extension CameraLoop {
  /// Opens the camera's workers and publishes its first state: what an earlier process left, or a full window of the
  /// loop, so that no player ever gets an empty playlist.
  ///
  /// - Parameters:
  ///   - dropsPicture: whether the last picture of an earlier process must not be shown.
  ///   - reading: when the operator's loop is read from disk.
  ///   - slate: the slate for these settings; `nil` has it made here.
  ///   - left: what an earlier loop of this process has left; `nil` for what is in the folder.
  ///   - holds: whether parts are held until the publish offset where a veil can begin; tests that count slots do
  ///     without.
  ///   - place: where its slots and segments begin in time, so that not all cameras encode at once; `nil` to begin now.
  /// - Throws: FFmpeg's error, with the setting in its message.
  static func open(
    camera: Camera, mirror: Mirror?, folder: String?, dropsPicture: Bool = false, reading: LoopReading = .whenPlayed,
    slate made: Loop? = nil, goingOnFrom left: LeftStream? = nil, holds: Bool = false, place: SlotPlace? = nil,
    logger: Logger
  ) throws -> CameraLoop {
    let settings = camera.settings
    let timeline = settings.timeline
    let slate = try made ?? Loop.slate(settings, logger: logger)
    let line = try PictureLine.open(
      settings, photoSize: settings.photoSize, published: slate.parameterSets, logger: logger)
    let (now, wall) = (camera.clock.now(), camera.clock.wall())
    let wait = place?.wait(at: wall, slot: timeline.part) ?? .zero
    let files = left.map { StoredFiles.memory($0.files) } ?? folder.map { StoredFiles.folder($0) }
    var recovery =
      files.map {
        Recovery.read(
          $0, timeline: timeline, now: wall, isTrusted: camera.clock.isTrusted(wall), folder: folder ?? "memory",
          logger: logger)
      } ?? .fresh(now: wall, isTrusted: camera.clock.isTrusted(wall))
    if dropsPicture { recovery.picture = nil }
    if recovery.standing.isVeiled, !settings.canBeVeiled {
      // Pictures of the loop would be told from live ones, and live pictures were not to be shown.
      recovery.standing.isVeiled = false
      recovery.standing.isPaused = true
      logger.error(
        """
        the camera is paused: it was veiled when the earlier process ended, and photo-size or at-once rules a veil out. \
        Remove the setting, or send resume to show live pictures.
        """)
    }
    if let folder { recovery.claim(in: folder, timeline: timeline) }
    let lead = timeline.segment * Int64(timeline.listedSegments)
    let gap = recovery.gap(now: wall, lead: lead)
    // Players that begin behind the end would only see pictures from before a long silence.
    let isFilled = recovery.segments.count >= timeline.listedSegments && gap < lead
    // Viewers have media already, so the first slot is made at the camera's place and not at once: where many cameras
    // start, each has its first picture to encode.
    let firstWait = isFilled ? wait : .zero
    let publisher = StreamPublisher(
      camera: camera, parameterSets: slate.parameterSets, mirror: mirror, recovery: recovery,
      lead: isFilled ? .zero : lead, wall: wall.advanced(by: wait))
    let parameterSets = slate.parameterSets
    let reader = LoopReader(
      logger: logger, stamp: { folder.flatMap(LoopFolder.stamp) }, willRead: reading.willRead,
      open: {
        folder.flatMap { Loop.open(folder: $0, settings: settings, parameterSets: parameterSets, logger: logger) }
      })
    var player = LoopPlayer(builtIn: slate, timeline: timeline, reader: reader)
    player.load()
    var coder = LiveCoder(camera: camera, line: line, slate: try slate.segment(0), logger: logger)
    // The slate, or the picture that was shown when the earlier process ended, is held as if it had just come; with an
    // operator's loop, the loop plays first.
    var held: Ticks? = player.isBuiltIn ? now : nil
    if let picture = recovery.picture, gap < settings.presence.hold ?? .seconds(3600) {
      coder.restoreLast(picture)
      held = now - gap
    }
    var hours = HoursWatch(settings.hours)
    let isWithinHours = hours.state(at: wall, isTrusted: camera.clock.isTrusted)?.isShown ?? true
    let director = Director(
      presence: CameraPresence(settings: settings.presence, held: held), veil: settings.veil,
      standing: recovery.standing, isWithinHours: isWithinHours)
    let stream = CameraStream(
      camera: camera, mirror: mirror,
      programme: Programme(settings, director: director, player: player, logger: logger), coder: coder,
      publisher: publisher, plain: PlainFeed(camera: camera, firstName: recovery.firstName, logger: logger),
      collectedFrom: now + firstWait - timeline.part, holds: holds,
      firstParts: place?.firstParts(of: timeline.partsPerSegment), offset: left?.offset)
    var loop = CameraLoop(
      camera: camera, mirror: mirror, logger: logger,
      clock: SlotClock(settings: timeline, next: 0, now: now + firstWait), stream: stream, hours: hours,
      firstMove: wait - firstWait)
    loop.begin(fills: !isFilled)
    if folder != nil, reading.isAhead { loop.beginReadingAhead() }
    return loop
  }
}
