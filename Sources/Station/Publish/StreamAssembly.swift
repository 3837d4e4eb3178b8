import Media
import NIOCore
import Packager
import Picture
import Playlist

/// Packages slots, lists them in the window, and says what must be published: a pure value, so that a copy can look
/// ahead.
struct StreamAssembly: Sendable {
  /// The init segment of everything that this process makes.
  let initSegment: InitSegment
  private let timeline: TimelineSettings
  private var segmenter: Segmenter
  private var window: LiveWindow
  private var dates: DateMap
  /// No segment has a name with this number or a higher one; names are reserved far ahead of the used ones.
  private(set) var reservedName: Int
  /// The media in the store.
  private(set) var storedMedia: [String: ByteBuffer]
  private let syntax: SliceSyntax?
  /// The `idr_pic_id` of the picture before, if that is an IDR picture.
  private var previousID: Int?
  /// Whether the name of the open segment stands for its bytes.
  private var keepsBytes = false
  /// Whether the open segment is marked as recorded.
  private var marksRecorded = false
  /// What appears at the edge and what disappears there with the next publication.
  private var adding: [(name: String, bytes: ByteBuffer)]
  private var removing: [String] = []
  /// Parts that are at the edge already, with the same bytes in the memory of their segment.
  private var replacing: [(name: String, bytes: ByteBuffer)] = []
  /// What is at the edge already although its time has not come.
  private var early: Set<String> = []

  /// An assembly that continues after a recovery.
  ///
  /// - Parameters:
  ///   - lead: how much media is made before the first that plays now.
  ///   - wall: the date at which media plays once the lead is made.
  init(settings: CameraSettings, parameterSets: ParameterSets, recovery: Recovery, lead: Ticks, wall: WallTime) {
    timeline = settings.timeline
    initSegment = InitSegment(
      parameterSets: parameterSets, size: settings.picture.size, step: settings.timeline.step)
    syntax = SliceSyntax(parameterSets)
    let mediaEnd = recovery.mediaEnd(initName: initSegment.name, step: timeline.step)
    window = LiveWindow(
      settings: timeline, initName: initSegment.name, firstSequence: recovery.firstSequence,
      discontinuitySequence: recovery.discontinuitySequence, restoring: recovery.segments,
      removed: recovery.removed, isContinued: mediaEnd != nil)
    segmenter = Segmenter(
      settings: timeline, firstSequence: window.nextSequence, firstName: recovery.firstName, mediaStart: mediaEnd)
    reservedName = recovery.firstName + Recovery.reserve
    // Published dates must not be repeated.
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

  /// Whether the next picture must be an IDR picture.
  var isAtSegmentStart: Bool { segmenter.isAtSegmentStart }

  /// The number in the name of the segment that the next part belongs to.
  var nameNumber: Int { segmenter.nameNumber }

  /// The date of a moment in stream time.
  func date(of moment: Ticks) -> WallTime { dates.date(of: moment) }

  /// The date of the next part, for a slot that begins then in civil time.
  func dateOfNextPart(wall: WallTime) -> WallTime {
    var dates = dates
    return nextPart == 0 ? dates.segmentBegins(at: start, wall: wall) : dates.date(of: start)
  }

  /// Notes that slots begin later from now on, or earlier if `shift` is negative.
  mutating func slotsMoved(by shift: Ticks) { dates.slotsMoved(by: shift) }

  /// The position of the newest part; `nil` in an empty window.
  var newest: PartPosition? { window.newest }

  /// The media sequence number of the first segment in the window.
  var firstSequence: Int { window.firstSequence }

  /// Sets what the next segment is; only between segments.
  mutating func expect(_ segment: PlannedSegment) {
    if let place = segment.segmentContent.place {
      segmenter.beginLoopSegment(named: place.name, mediaStart: place.mediaStart)
    }
    keepsBytes = segment.segmentContent.place != nil
    window.expect(segmenter.name, isDiscontinuous: segment.isDiscontinuous)
    marksRecorded = segment.isMarkedRecorded
  }

  // MARK: Slots

  /// Packages the pictures of the next slot and lists the part.
  ///
  /// - Parameters:
  ///   - wall: the wall clock's time for the start of the slot; `nil` for media made in advance.
  ///   - sequenceLimit: the highest media sequence that can be published; `nil` leaves the limit unchanged.
  /// - Returns: the bytes of the part, and of the segment if this was its last.
  mutating func append(
    _ pictures: [CodedPicture], wall: WallTime?, sequenceLimit: Int? = nil
  ) -> (part: Int, segment: ByteBuffer?) {
    let number = segmenter.nameNumber
    let output = segmenter.append(distinct(pictures))
    adding.append((output.partName, output.part))
    var date = dates.date(of: output.start)
    if output.position.part == 0, let wall { date = dates.segmentBegins(at: output.start, wall: wall) }
    if let sequenceLimit { window.sequenceLimit = sequenceLimit }
    let retired = window.append(output, date: date, marksRecorded: marksRecorded, isLead: wall == nil)
    storedMedia[output.partName] = output.part
    early.remove(output.partName)
    if let segment = output.segment {
      list(segment, name: output.name, parts: output.position.part + 1, number: number)
    }
    for name in retired { storedMedia[name] = nil }
    // A loop's name comes again: its time from the round before can end while this round's is published ahead.
    removing += retired.filter { !early.contains($0) }
    return (output.part.readableBytes, output.segment)
  }

  /// The same pictures, with another `idr_pic_id` for an IDR picture that directly follows one (ITU-T H.264, section
  /// 7.4.3): where a segment has one picture only, or ends after its first.
  private mutating func distinct(_ pictures: [CodedPicture]) -> [CodedPicture] {
    guard let syntax else { return pictures }
    return pictures.map { picture in
      guard picture.isIDR else {
        previousID = nil
        return picture
      }
      var picture = picture
      if let previousID, !keepsBytes {
        picture = syntax.writing(idrPictureID: previousID == 0 ? 1 : 0, in: picture)
      }
      previousID = syntax.idrPictureID(of: picture)
      return picture
    }
  }

  /// Whether the open segment can end with the parts that it has: there are some, and what players have got already
  /// does not go on.
  var canEndSegment: Bool { nextPart > 0 && !early.contains(segmenter.name.part(nextPart)) }

  /// Ends the open segment with the parts that it has; it is published with the next part.
  mutating func endSegment() {
    let (name, number, count) = (segmenter.name, segmenter.nameNumber, nextPart)
    let segment = segmenter.endSegment()
    window.endSegment()
    list(segment, name: name, parts: count, number: number)
  }

  /// Lists a whole segment of so many parts.
  private mutating func list(_ segment: ByteBuffer, name: SegmentName, parts: Int, number: Int) {
    early.remove(name.file)
    adding.append((name.file, segment))
    storedMedia[name.file] = segment
    // Only the parts of the open segment are on disk, and have memory of their own: those of a complete one are byte
    // ranges of it.
    let sizes = window.segments.last?.partBytes ?? []
    var rest = segment
    for part in 0..<parts {
      storedMedia[name.part(part)] = nil
      if part < sizes.count, let range = rest.readSlice(length: sizes[part]) {
        replacing.append((name.part(part), range))
      }
    }
    reserve(number)
    window.expect(segmenter.name, isDiscontinuous: false)
  }

  /// The state after these slots. What they add is published with the next publication already; what they remove stays
  /// until then.
  mutating func lookAhead(_ slots: [[CodedPicture]]) -> StreamAssembly {
    var future = self
    for pictures in slots { _ = future.append(pictures, wall: nil) }
    early.formUnion(future.adding.dropFirst(adding.count).map(\.name))
    adding = future.adding
    return future
  }

  /// The playlists; `nil` if nothing is listed.
  ///
  /// - Parameters:
  ///   - plainSequence: the newest segment of the playlist without parts, if there is one.
  ///   - earlier: the texts that were published before, newest first.
  func snapshot(
    multivariant: EncodedText, plainSequence: Int?, earlier: [TextDictionary] = []
  ) -> PlaylistSnapshot? {
    guard let newest = window.newest else { return nil }
    var playlist = window.playlist
    if let plainSequence {
      playlist.renditionReports = [
        MediaPlaylist.RenditionReport(uri: StreamPublisher.plainName, lastMediaSequence: plainSequence)
      ]
    }
    return PlaylistSnapshot(
      position: newest, hinted: window.hinted, hintedName: window.hintedName, media: playlist,
      delta: window.delta(of: playlist), multivariant: multivariant, earlier: earlier)
  }

  /// Takes what appears and disappears with a publication.
  mutating func takeChanges() -> (adding: [(name: String, bytes: ByteBuffer)], removing: [String]) {
    defer {
      adding.removeAll(keepingCapacity: true)
      removing.removeAll(keepingCapacity: true)
      replacing.removeAll()
    }
    return (adding + replacing, removing)
  }

  /// Lets these names disappear with the next publication.
  mutating func remove(_ names: [String]) { removing += names }

  /// Keeps names reserved far ahead of the used ones.
  mutating func reserve(_ number: Int) {
    if number + Recovery.reserve / 2 > reservedName { reservedName = number + Recovery.reserve }
  }

  // MARK: The playlist without parts

  /// Keeps what the playlist without parts serves in the store too, so that the next process can serve it.
  mutating func keep(_ plain: PlainStream.Publication) {
    for name in plain.removing { storedMedia[name] = nil }
    for (name, bytes) in plain.adding { storedMedia[name] = bytes }
    reserve(plain.nextName)
  }

  /// Keeps serving what the playlist without parts leaves when it ends.
  mutating func serve(_ segments: [RemovedSegment]) { window.serve(segments) }

  // MARK: Withdrawal

  /// Withdraws all media, so that the next publication removes it, and begins again with a full lead.
  ///
  /// - Parameter plain: what the playlist without parts serves, which is withdrawn too.
  mutating func withdraw(plain: [RemovedSegment], lead: Ticks, wall: WallTime) {
    removing += window.withdraw() + early + plain.map(\.segment.file)
    early.removeAll()
    segmenter.dropSegment()
    storedMedia = [initSegment.name: initSegment.bytes]
    adding.removeAll()
    replacing.removeAll()
    dates = DateMap(media: segmenter.start + lead, wall: wall)
    window.expect(segmenter.name, isDiscontinuous: true)
  }

  // MARK: The store

  /// What the next process must know.
  ///
  /// - Parameter plain: what the playlist without parts serves.
  func state(plain: [RemovedSegment], standing: Director.Standing, isLive: Bool) -> StreamState {
    StreamState(
      reservedName: reservedName, part: timeline.part.count, segment: timeline.segment.count,
      mediaSequence: window.firstSequence, discontinuitySequence: window.discontinuitySequence,
      segments: window.segments, open: window.openSegment, removed: window.removedSegments + plain,
      reservedSequence: window.restartSequence, standing: standing, isLive: isLive)
  }

  /// The media sequence with which a process that ended now would continue.
  var restartSequence: Int { window.restartSequence }

  /// The playlist of complete segments for the store, with its version; `nil` if there are none. It does not change
  /// within a segment.
  var storedPlaylist: (version: Int64, bytes: ByteBuffer)? {
    window.segments.isEmpty ? nil : (Int64(window.nextSequence), window.plainPlaylist.render())
  }
}
