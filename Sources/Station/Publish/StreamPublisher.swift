import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist

/// Makes coded pictures public: packages them, keeps the window, and brings both to the edge and to the mirror.
package struct StreamPublisher {
  static let playlistName = "live.m3u8"
  static let plainName = "plain.m3u8"
  static let multivariantName = "index.m3u8"
  static let latestName = "latest.jpg"

  private let timeline: TimelineSettings
  private let edge: LiveEdge
  private let mirror: Mirror?
  private let multivariant: EncodedText
  /// The init segment of all that this life of the process makes.
  let initSegment: InitSegment
  private var segmenter: Segmenter
  private var window: LiveWindow
  private var dates: DateMap
  private var reservedName: Int
  private var contents = MirrorContents()
  private var shownPictures: Int64 = 0
  private var publications: Int64 = 0
  /// What the state file says besides the window.
  var standing = Director.Standing()
  var isLive = true
  /// Whether the open segment is marked as a recording.
  private var marksRecorded = false
  /// What appears at the edge and disappears there with the next publication.
  private var adding: [(name: String, bytes: ByteBuffer)] = []
  private var removing: [String] = []
  /// What lies at the edge already although its time has not come.
  private var early: Set<String> = []
  /// What the playlist without parts serves now.
  private var plainSegments: [RemovedSegment] = []
  /// How often all was taken back.
  private var withdrawals: Int64 = 0

  /// A publisher for a stream whose encoder has these parameter sets.
  ///
  /// - Parameters:
  ///   - recovery: where the numbers go on, and what is listed again.
  ///   - lead: how much media is made before the first that plays now.
  ///   - wall: the date at which media plays once the lead is made.
  package init(
    camera: Camera, parameterSets: ParameterSets, mirror: Mirror?, recovery: Recovery, lead: Ticks, wall: WallTime
  ) {
    let settings = camera.settings
    timeline = settings.timeline
    edge = camera.edge
    self.mirror = mirror
    initSegment = InitSegment(
      parameterSets: parameterSets, size: settings.picture.size, step: settings.timeline.step)
    let info = StreamInfo(
      codec: initSegment.codec, size: settings.picture.size, encoder: settings.encoder, timeline: settings.timeline)
    let playlist = info.multivariantPlaylist(uri: Self.playlistName).render()
    multivariant = EncodedText(playlist, etag: playlist.fingerprint)
    standing = recovery.standing
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
    contents.media = recovery.media.filter { recovery.files.contains($0.key) }
    contents.media[initSegment.name] = initSegment.bytes
  }

  /// When the next part begins in stream time.
  var start: Ticks { segmenter.start }

  /// The index of the next part in its segment.
  var nextPart: Int { segmenter.position.part }

  /// Whether the next picture has to be an IDR picture.
  package var isAtSegmentStart: Bool { segmenter.isAtSegmentStart }

  /// The date of a moment in stream time.
  func date(of moment: Ticks) -> WallTime { dates.date(of: moment) }

  /// Says what the next segment is; only between segments.
  mutating func expect(_ scene: Scene) {
    if let place = scene.place { segmenter.beginLoopSegment(named: place.name, mediaStart: place.mediaStart) }
    window.expect(segmenter.name, isDiscontinuous: scene.isDiscontinuous)
    marksRecorded = scene.isMarkedRecorded
  }

  /// Packages the pictures of the next slot and lists the part; it becomes public with `publish`.
  ///
  /// - Parameter wall: what the wall clock says about the beginning of the slot; `nil` for media made in advance.
  /// - Returns: the bytes of the part, and of the segment if this was its last.
  package mutating func append(_ pictures: [CodedPicture], wall: WallTime?) -> (part: Int, segment: ByteBuffer?) {
    let number = segmenter.nameNumber
    let output = segmenter.append(pictures)
    adding.append((output.partName, output.part))
    var date = dates.date(of: output.start)
    if output.position.part == 0, let wall { date = dates.segmentBegins(at: output.start, wall: wall) }
    if let mirror { window.sequenceLimit = mirror.sequenceLimit(reached: window.firstSequence) }
    let retired = window.append(output, date: date, marksRecorded: marksRecorded, isLead: wall == nil)
    contents.media[output.partName] = output.part
    early.remove(output.partName)
    if let segment = output.segment {
      early.remove(output.name.file)
      adding.append((output.name.file, segment))
      contents.media[output.name.file] = segment
      // The parts of the open segment alone are on disk: those of a whole one are pieces of it.
      for part in 0...output.position.part { contents.media[output.name.part(part)] = nil }
      reserve(number)
      window.expect(segmenter.name, isDiscontinuous: false)
    }
    for name in retired { contents.media[name] = nil }
    removing += retired
    return (output.part.readableBytes, output.segment)
  }

  /// Keeps names reserved far ahead of those that are used.
  mutating func reserve(_ number: Int) {
    if number + Recovery.reserve / 2 > reservedName { reservedName = number + Recovery.reserve }
  }

  /// Makes all that was appended public in one step.
  ///
  /// - Parameters:
  ///   - following: the pictures of slots that come next and are known already. Who asks for the playlist gets them
  ///     when their time comes; who follows with blocking reloads gets them at once, and need not come back for each.
  ///   - plainSequence: the newest segment of the playlist without parts, where there is one.
  package mutating func publish(following: [[CodedPicture]] = [], plainSequence: Int? = nil) {
    var ahead: PlaylistSnapshot?
    if !following.isEmpty {
      var future = self
      for pictures in following { _ = future.append(pictures, wall: nil) }
      // What retires then stays until then.
      early.formUnion(future.adding.dropFirst(adding.count).map(\.name))
      adding = future.adding
      ahead = future.snapshot(plainSequence)
    }
    if let now = snapshot(plainSequence) { edge.publish(now, ahead: ahead, adding: adding, removing: removing) }
    adding.removeAll(keepingCapacity: true)
    removing.removeAll(keepingCapacity: true)
    publications += 1
    updateMirror()
  }

  private func snapshot(_ plainSequence: Int?) -> PlaylistSnapshot? {
    guard let newest = window.newest else { return nil }
    var playlist = window.playlist
    if let plainSequence {
      playlist.renditionReports = [
        MediaPlaylist.RenditionReport(uri: Self.plainName, lastMediaSequence: plainSequence)
      ]
    }
    return PlaylistSnapshot(
      position: newest, hinted: window.hinted, hintedName: window.hintedName, media: playlist,
      delta: window.delta(of: playlist), multivariant: multivariant)
  }

  /// Shows a picture as the latest one.
  ///
  /// - Parameter photo: the same as a photo, where that shows more.
  mutating func show(_ jpeg: ByteBuffer, photo: Photo? = nil, time: WallTime) {
    shownPictures += 1
    let tag = "\"\(segmenter.nameNumber).\(nextPart).\(shownPictures)\""
    edge.show(LatestPicture(jpeg: photo?.jpeg ?? jpeg, small: jpeg, etag: tag, time: time))
    updateMirror()
  }

  /// Keeps what the playlist without parts serves in the store too: the next life of the process serves it on.
  mutating func keep(_ plain: PlainStream.Publication) {
    for name in plain.removing { contents.media[name] = nil }
    for (name, bytes) in plain.adding { contents.media[name] = bytes }
    plainSegments = plain.owed
    reserve(plain.nextName)
    save()
  }

  /// Serves on what the playlist without parts has left when it ends.
  mutating func servePlainOn() {
    window.serve(plainSegments)
    plainSegments.removeAll()
    save()
  }

  /// Takes all media back, so that the next publication makes it vanish, and begins again with a full lead.
  mutating func withdraw(lead: Ticks, wall: WallTime) {
    removing += window.withdraw() + early + plainSegments.map(\.segment.file)
    early.removeAll()
    plainSegments.removeAll()
    withdrawals += 1
    segmenter.dropSegment()
    contents.withdrawals = withdrawals
    contents.media = [initSegment.name: initSegment.bytes]
    adding.removeAll()
    dates = DateMap(media: segmenter.start + lead, wall: wall)
    window.expect(segmenter.name, isDiscontinuous: true)
  }

  /// Has `done` called once the mirror has done what it can for all that was published.
  func afterMirroring(_ done: @escaping @Sendable () -> Void) {
    if let mirror { mirror.afterWriting(done) } else { done() }
  }

  /// Writes behind what has changed besides the playlist.
  mutating func save() {
    publications += 1
    updateMirror()
  }

  private mutating func updateMirror() {
    guard let mirror else { return }
    typealias Document = MirrorContents.Document
    let state = StreamState(
      reservedName: reservedName, part: timeline.part.count, segment: timeline.segment.count,
      mediaSequence: window.firstSequence, discontinuitySequence: window.discontinuitySequence,
      segments: window.segments, open: window.openSegment, removed: window.removedSegments + plainSegments,
      reservedSequence: window.restartSequence, standing: standing,
      isLive: isLive)
    contents.reservedSequence = window.restartSequence
    contents.documents = [
      Document(
        name: StreamState.reservedFileName, version: Int64(reservedName), bytes: ByteBuffer(string: "\(reservedName)")),
      Document(name: StreamState.fileName, version: publications, bytes: state.bytes),
      Document(name: Self.multivariantName, version: 0, bytes: multivariant.plain),
    ]
    // A mirrored playlist has complete segments only, so nothing in it changes within a segment.
    if !window.segments.isEmpty {
      contents.documents.append(
        Document(
          name: Self.playlistName, version: Int64(window.nextSequence), bytes: window.plainPlaylist.render()))
    }
    if let latest = edge.latest {
      contents.documents.append(Document(name: Self.latestName, version: shownPictures, bytes: latest.jpeg))
    }
    mirror.update(contents)
  }
}
