import Media
import NIOCore
import Packager
import Picture
import Playlist

/// Publishes encoded pictures: brings what the assembly lists to the edge and to the mirror, as their only writer.
package struct StreamPublisher {
  static let playlistName = "live.m3u8"
  static let plainName = "plain.m3u8"
  static let multivariantName = "index.m3u8"
  static let latestName = "latest.jpg"

  private let camera: Camera
  private let edge: LiveEdge
  private let mirror: Mirror?
  private let multivariant: EncodedText
  private var assembly: StreamAssembly
  /// What the playlist without parts serves now.
  private var plainSegments: [RemovedSegment] = []
  /// The picture that `latest.jpg` shows; `nil` before the first.
  private(set) var latest: LatestPicture?
  private var shownPictures: Int64 = 0
  private var publications: Int64 = 0
  /// What is published next, if it is made already.
  private var pending: Publication?
  /// The newest part that viewers know.
  private var newest: PartPosition?
  private var hasPublished = false
  /// What viewers got last.
  private var recent = RecentTexts()
  /// How often everything was withdrawn.
  private var withdrawals: Int64 = 0
  /// What the state file contains besides the window.
  var standing: Director.Standing
  var isLive = true

  /// A publisher for a stream whose encoder has these parameter sets.
  ///
  /// - Parameters:
  ///   - recovery: where the numbers continue, and what is listed again.
  ///   - lead: how much media is made before the first that plays now.
  ///   - wall: the date at which media plays once the lead is made.
  package init(
    camera: Camera, parameterSets: ParameterSets, mirror: Mirror?, recovery: Recovery, lead: Ticks, wall: WallTime
  ) {
    let settings = camera.settings
    self.camera = camera
    edge = camera.edge
    self.mirror = mirror
    assembly = StreamAssembly(
      settings: settings, parameterSets: parameterSets, recovery: recovery, lead: lead, wall: wall)
    let info = StreamInfo(
      codec: assembly.initSegment.codec, size: settings.picture.size, encoder: settings.encoder,
      timeline: settings.timeline)
    let playlist = info.multivariantPlaylist(uri: Self.playlistName).render()
    multivariant = EncodedText(playlist, etag: playlist.fingerprint)
    standing = recovery.standing
    guard let copy else { return }
    let plain = settings.timeline.plain
    let left = LeftPlain(recovery, timeline: plain)
    copy.restore(
      left.segments, recorded: left.recorded, media: left.media, targetDuration: plain.targetDuration)
  }

  /// Where the stream is copied to, if it is.
  private var copy: (any StreamCopy)? { camera.isCopied ? camera.copy : nil }

  /// The init segment of everything that this process makes.
  var initSegment: InitSegment { assembly.initSegment }

  /// When the next part begins in stream time.
  var start: Ticks { assembly.start }

  /// The index of the next part in its segment.
  var nextPart: Int { assembly.nextPart }

  /// Whether the next picture must be an IDR picture.
  package var isAtSegmentStart: Bool { assembly.isAtSegmentStart }

  /// The date of a moment in stream time.
  func date(of moment: Ticks) -> WallTime { assembly.date(of: moment) }

  /// The date of the next part, for a slot that begins then in civil time.
  func dateOfNextPart(wall: WallTime) -> WallTime { assembly.dateOfNextPart(wall: wall) }

  // MARK: Slots

  /// Notes that slots begin later from now on, or earlier where `shift` is negative.
  mutating func slotsMoved(by shift: Ticks) { assembly.slotsMoved(by: shift) }

  /// Sets what the next segment is; only between segments.
  mutating func expect(_ segment: PlannedSegment) { assembly.expect(segment) }

  /// Whether the open segment can end with the parts that it has: there are some, and what players have got already
  /// does not go on.
  var canEndSegment: Bool { assembly.canEndSegment }

  /// Ends the open segment with the parts that it has; it is published with the next part.
  mutating func endSegment() { assembly.endSegment() }

  /// Packages the pictures of the next slot and lists the part; it becomes public with `publish`.
  ///
  /// - Parameter wall: the wall clock's time for the start of the slot; `nil` for media made in advance.
  /// - Returns: the bytes of the part, and of the segment if this was its last.
  package mutating func append(_ pictures: [CodedPicture], wall: WallTime?) -> (part: Int, segment: ByteBuffer?) {
    let limit = mirror?.sequenceLimit(reached: assembly.firstSequence)
    return assembly.append(pictures, wall: wall, sequenceLimit: limit)
  }

  /// A state of the stream, and what appears and disappears with it.
  private struct Publication {
    var now: PlaylistSnapshot?
    var ahead: PlaylistSnapshot?
    let adding: [(name: String, bytes: ByteBuffer)]
    let removing: [String]
  }

  /// Makes the publication of everything that was appended. Nothing is public before `publish`, and next to nothing is
  /// left to do then: how long it takes would tell what the machine did before.
  ///
  /// - Parameters:
  ///   - following: the pictures of the next slots, if they are known already. Plain requests get them when their time
  ///     comes; players with blocking reloads get them at once and need not come back for each.
  ///   - plainSequence: the newest segment of the playlist without parts, if there is one.
  mutating func prepare(following: [[CodedPicture]] = [], plainSequence: Int? = nil) {
    var ahead: PlaylistSnapshot?
    if !following.isEmpty {
      let future = assembly.lookAhead(following)
      // Viewers can know its first sequence from now on, and no later process may count lower.
      _ = mirror?.sequenceLimit(reached: future.firstSequence)
      ahead = future.snapshot(
        multivariant: multivariant, plainSequence: plainSequence, earlier: recent.dictionaries)
    }
    let now = assembly.snapshot(
      multivariant: multivariant, plainSequence: plainSequence, earlier: recent.dictionaries)
    let changes = assembly.takeChanges()
    pending = Publication(now: now, ahead: ahead, adding: changes.adding, removing: changes.removing)
  }

  /// Publishes in one step what was prepared, or else everything that was appended. `save` has to follow.
  package mutating func publish() {
    if pending == nil { prepare() }
    guard var publication = pending.take(), var now = publication.now else { return }
    now.published = .now
    publication.ahead?.published = now.published
    edge.publish(
      now, ahead: publication.ahead, adding: publication.adding, removing: publication.removing,
      isFirst: !hasPublished)
    (hasPublished, newest) = (true, now.position)
    recent.add([publication.ahead, now].compactMap { $0 })
  }

  /// Shows a picture as the latest one; an empty one leaves the one before. `save` or `saveLatest` has to follow.
  ///
  /// - Parameter photo: the same as a photo, where that shows more.
  mutating func show(_ jpeg: ByteBuffer, photo: Photo? = nil, time: WallTime) {
    guard jpeg.readableBytes > 0 else { return }
    shownPictures += 1
    let tag = "\"\(assembly.nameNumber).\(nextPart).\(shownPictures)\""
    let picture = LatestPicture(jpeg: photo?.jpeg ?? jpeg, small: jpeg, etag: tag, time: time)
    latest = picture
    edge.show(picture)
    copy?.show(picture.jpeg)
  }

  /// Ends all waits: nothing more comes.
  func end() { edge.end() }

  // MARK: The playlist without parts

  /// Publishes a change of the playlist without parts.
  mutating func apply(_ change: PlainFeed.Change) {
    switch change {
    case .published(let plain):
      copy?.publish(
        plain.playlist, adding: plain.adding, most: camera.settings.timeline.plain.listedSegments)
      var playlist = plain.playlist
      if let newest {
        playlist.renditionReports = [
          MediaPlaylist.RenditionReport(
            uri: Self.playlistName, lastMediaSequence: newest.sequence, lastPart: newest.part)
        ]
      }
      edge.publishPlain(
        EncodedText(playlist.render(), etag: plain.etag), adding: plain.adding, removing: plain.removing)
      assembly.keep(plain)
      plainSegments = plain.retained
    case .ended:
      edge.endPlain()
      assembly.serve(plainSegments)
      plainSegments.removeAll()
    }
    save()
  }

  // MARK: Withdrawal

  /// Withdraws all media, so that the next publication removes it, and begins again with a full lead.
  mutating func withdraw(lead: Ticks, wall: WallTime) {
    copy?.withdraw()
    edge.endPlain()
    // What was to disappear with a publication that does not come has to all the same.
    if let dropped = pending.take() { assembly.remove(dropped.removing) }
    assembly.withdraw(plain: plainSegments, lead: lead, wall: wall)
    plainSegments.removeAll()
    recent.removeAll()
    withdrawals += 1
  }

  // MARK: The store

  /// Has `done` called once the mirror has done what it can for everything that was published.
  func afterMirroring(_ done: @escaping @Sendable () -> Void) {
    if let mirror { mirror.afterWriting(done) } else { done() }
  }

  /// Has the camera's folder hold what viewers can get now, in the background. What is prepared is not theirs yet, and is
  /// saved once it is published.
  mutating func save() {
    guard pending == nil else { return }
    publications += 1
    saveLatest()
  }

  /// Does that where nothing but the latest picture has changed: the state file stays as it is.
  func saveLatest() { if pending == nil { mirror?.update(contents) } }

  /// What the camera's folder should hold now: all that a later loop of the camera needs to go on.
  var contents: MirrorContents {
    typealias Document = MirrorContents.Document
    let (reservedName, state) = (
      assembly.reservedName, assembly.state(plain: plainSegments, standing: standing, isLive: isLive)
    )
    var contents = MirrorContents()
    contents.media = assembly.storedMedia
    contents.withdrawals = withdrawals
    contents.reservedSequence = assembly.restartSequence
    contents.documents = [
      Document(
        name: StreamState.reservedFileName, version: Int64(reservedName), bytes: ByteBuffer(string: "\(reservedName)")),
      Document(name: StreamState.fileName, version: publications, bytes: state.bytes),
      Document(name: Self.multivariantName, version: 0, bytes: multivariant.plain),
    ]
    if let (version, bytes) = assembly.storedPlaylist {
      contents.documents.append(Document(name: Self.playlistName, version: version, bytes: bytes))
    }
    if let latest {
      contents.documents.append(Document(name: Self.latestName, version: shownPictures, bytes: latest.jpeg))
    }
    return contents
  }
}
