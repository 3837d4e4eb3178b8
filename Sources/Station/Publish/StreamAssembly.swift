import Media
import NIOCore
import Packager
import Picture
import Playlist

/// Packages slots, lists them in the window, and says what has to be published: a pure value, of which a copy can look
/// ahead.
struct StreamAssembly: Sendable {
  /// The init segment of all that this life of the process makes.
  let initSegment: InitSegment
  private let timeline: TimelineSettings
  private var segmenter: Segmenter
  private var window: LiveWindow
  private var dates: DateMap
  /// No segment has a name with this number or a higher one; names are reserved far ahead of those that are used.
  private(set) var reservedName: Int
  /// The media that the store holds.
  private(set) var storedMedia: [String: ByteBuffer]
  /// Whether the open segment is marked as a recording.
  private var marksRecorded = false
  /// What appears at the edge and disappears there with the next publication.
  private var adding: [(name: String, bytes: ByteBuffer)]
  private var removing: [String] = []
  /// What lies at the edge already although its time has not come.
  private var early: Set<String> = []

  /// An assembly that goes on where a recovery ends.
  ///
  /// - Parameters:
  ///   - lead: how much media is made before the first that plays now.
  ///   - wall: the date at which media plays once the lead is made.
  init(settings: CameraSettings, parameterSets: ParameterSets, recovery: Recovery, lead: Ticks, wall: WallTime) {
    timeline = settings.timeline
    initSegment = InitSegment(
      parameterSets: parameterSets, size: settings.picture.size, step: settings.timeline.step)
    let mediaEnd = recovery.mediaEnd(initName: initSegment.name, step: timeline.step)
    window = LiveWindow(
      settings: timeline, initName: initSegment.name, firstSequence: recovery.firstSequence,
      discontinuitySequence: recovery.discontinuitySequence, restoring: recovery.segments,
      removed: recovery.removed, isContinued: mediaEnd != nil)
    segmenter = Segmenter(
      settings: timeline, firstSequence: window.nextSequence, firstName: recovery.firstName, mediaStart: mediaEnd)
    reservedName = recovery.firstName + Recovery.reserve
    // Dates that were given out must not come again.
    let earliest = recovery.end.map { $0.advanced(by: lead) } ?? wall
    dates = DateMap(media: lead, wall: max(wall, earliest))
    window.expect(segmenter.name, isDiscontinuous: mediaEnd == nil)
    adding = [(initSegment.name, initSegment.bytes)] + recovery.media.map { ($0.key, $0.value) }
    storedMedia = recovery.media.filter { recovery.files.contains($0.key) }
    storedMedia[initSegment.name] = initSegment.bytes
  }

  // MARK: What comes next

  /// When the next part begins in stream time.
  var start: Ticks { segmenter.start }

  /// The index of the next part in its segment.
  var nextPart: Int { segmenter.position.part }

  /// Whether the next picture has to be an IDR picture.
  var isAtSegmentStart: Bool { segmenter.isAtSegmentStart }

  /// The number in the name of the segment that the next part belongs to.
  var nameNumber: Int { segmenter.nameNumber }

  /// The date of a moment in stream time.
  func date(of moment: Ticks) -> WallTime { dates.date(of: moment) }

  /// Where the newest part stands; `nil` in an empty window.
  var newest: PartPosition? { window.newest }

  /// The media sequence number of the first segment in the window.
  var firstSequence: Int { window.firstSequence }

  /// Says what the next segment is; only between segments.
  mutating func expect(_ segment: PlannedSegment) {
    if let place = segment.scene.place { segmenter.beginLoopSegment(named: place.name, mediaStart: place.mediaStart) }
    window.expect(segmenter.name, isDiscontinuous: segment.isDiscontinuous)
    marksRecorded = segment.isMarkedRecorded
  }

  // MARK: Slots

  /// Packages the pictures of the next slot and lists the part.
  ///
  /// - Parameters:
  ///   - wall: what the wall clock says about the beginning of the slot; `nil` for media made in advance.
  ///   - sequenceLimit: the highest media sequence that may be published; `nil` leaves the limit as it is.
  /// - Returns: the bytes of the part, and of the segment if this was its last.
  mutating func append(
    _ pictures: [CodedPicture], wall: WallTime?, sequenceLimit: Int? = nil
  ) -> (part: Int, segment: ByteBuffer?) {
    let number = segmenter.nameNumber
    let output = segmenter.append(pictures)
    adding.append((output.partName, output.part))
    var date = dates.date(of: output.start)
    if output.position.part == 0, let wall { date = dates.segmentBegins(at: output.start, wall: wall) }
    if let sequenceLimit { window.sequenceLimit = sequenceLimit }
    let retired = window.append(output, date: date, marksRecorded: marksRecorded, isLead: wall == nil)
    storedMedia[output.partName] = output.part
    early.remove(output.partName)
    if let segment = output.segment {
      early.remove(output.name.file)
      adding.append((output.name.file, segment))
      storedMedia[output.name.file] = segment
      // The parts of the open segment alone are on disk: those of a whole one are pieces of it.
      for part in 0...output.position.part { storedMedia[output.name.part(part)] = nil }
      reserve(number)
      window.expect(segmenter.name, isDiscontinuous: false)
    }
    for name in retired { storedMedia[name] = nil }
    removing += retired
    return (output.part.readableBytes, output.segment)
  }

  /// What it will be once these slots have come. What they add is published with the next publication already; what
  /// retires then stays until then.
  mutating func lookAhead(_ slots: [[CodedPicture]]) -> StreamAssembly {
    var future = self
    for pictures in slots { _ = future.append(pictures, wall: nil) }
    early.formUnion(future.adding.dropFirst(adding.count).map(\.name))
    adding = future.adding
    return future
  }

  /// The playlists; `nil` where nothing is listed.
  ///
  /// - Parameter plainSequence: the newest segment of the playlist without parts, where there is one.
  func snapshot(multivariant: EncodedText, plainSequence: Int?) -> PlaylistSnapshot? {
    guard let newest = window.newest else { return nil }
    var playlist = window.playlist
    if let plainSequence {
      playlist.renditionReports = [
        MediaPlaylist.RenditionReport(uri: StreamPublisher.plainName, lastMediaSequence: plainSequence)
      ]
    }
    return PlaylistSnapshot(
      position: newest, hinted: window.hinted, hintedName: window.hintedName, media: playlist,
      delta: window.delta(of: playlist), multivariant: multivariant)
  }

  /// Takes what has to appear and to disappear with a publication.
  mutating func takeChanges() -> (adding: [(name: String, bytes: ByteBuffer)], removing: [String]) {
    defer {
      adding.removeAll(keepingCapacity: true)
      removing.removeAll(keepingCapacity: true)
    }
    return (adding, removing)
  }

  /// Keeps names reserved far ahead of those that are used.
  mutating func reserve(_ number: Int) {
    if number + Recovery.reserve / 2 > reservedName { reservedName = number + Recovery.reserve }
  }

  // MARK: The playlist without parts

  /// Keeps what the playlist without parts serves in the store too: the next life of the process serves it on.
  mutating func keep(_ plain: PlainStream.Publication) {
    for name in plain.removing { storedMedia[name] = nil }
    for (name, bytes) in plain.adding { storedMedia[name] = bytes }
    reserve(plain.nextName)
  }

  /// Serves on what the playlist without parts has left when it ends.
  mutating func serve(_ segments: [RemovedSegment]) { window.serve(segments) }

  // MARK: Withdrawal

  /// Takes all media back, so that the next publication makes it vanish, and begins again with a full lead.
  ///
  /// - Parameter plain: what the playlist without parts serves, which goes too.
  mutating func withdraw(plain: [RemovedSegment], lead: Ticks, wall: WallTime) {
    removing += window.withdraw() + early + plain.map(\.segment.file)
    early.removeAll()
    segmenter.dropSegment()
    storedMedia = [initSegment.name: initSegment.bytes]
    adding.removeAll()
    dates = DateMap(media: segmenter.start + lead, wall: wall)
    window.expect(segmenter.name, isDiscontinuous: true)
  }

  // MARK: The store

  /// What the next life of the process must know.
  ///
  /// - Parameter plain: what the playlist without parts serves.
  func state(plain: [RemovedSegment], standing: Director.Standing, isLive: Bool) -> StreamState {
    StreamState(
      reservedName: reservedName, part: timeline.part.count, segment: timeline.segment.count,
      mediaSequence: window.firstSequence, discontinuitySequence: window.discontinuitySequence,
      segments: window.segments, open: window.openSegment, removed: window.removedSegments + plain,
      reservedSequence: window.restartSequence, standing: standing, isLive: isLive)
  }

  /// The media sequence with which a process that ended now would come back.
  var restartSequence: Int { window.restartSequence }

  /// The playlist of complete segments for the store, with its version; `nil` where there are none. Nothing in it
  /// changes within a segment.
  var storedPlaylist: (version: Int64, bytes: ByteBuffer)? {
    window.segments.isEmpty ? nil : (Int64(window.nextSequence), window.plainPlaylist.render())
  }
}
