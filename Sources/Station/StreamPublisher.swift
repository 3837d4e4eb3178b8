import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist

/// Makes coded pictures public: packages them, keeps the window, and brings both to the edge and to the mirror.
package struct StreamPublisher {
  static let playlistName = "live.m3u8"
  static let multivariantName = "index.m3u8"
  static let latestName = "latest.jpg"

  private let timeline: TimelineSettings
  private let edge: LiveEdge
  private let mirror: Mirror?
  private let initSegment: InitSegment
  private let multivariant: Rendition
  private var segmenter: Segmenter
  private var window: LiveWindow
  private var dates: DateMap
  private var ledger: SequenceLedger
  private var contents = MirrorContents()
  private var shownPictures: Int64 = 0
  /// What appears at the edge with the next publication.
  private var adding: [(name: String, bytes: ByteBuffer)] = []

  /// A publisher for a stream whose encoder has these parameter sets.
  ///
  /// - Parameters:
  ///   - folder: where the ledger of media sequence numbers lies; `nil` where nothing is kept.
  ///   - lead: how much media is made before the first that plays now.
  ///   - wall: the date at which media plays once the lead is made.
  package init(
    camera: Camera, parameterSets: ParameterSets, mirror: Mirror?, folder: String?, lead: Ticks, wall: WallTime,
    logger: Logger
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
    multivariant = Rendition(playlist, etag: playlist.fingerprint)
    let opened = SequenceLedger.open(folder: folder, now: wall, logger: logger)
    ledger = opened.ledger
    segmenter = Segmenter(settings: settings.timeline, firstSequence: opened.first)
    window = LiveWindow(settings: settings.timeline, initName: initSegment.name)
    dates = DateMap(media: lead, wall: wall)
    adding = [(initSegment.name, initSegment.bytes)]
    contents.media[initSegment.name] = initSegment.bytes
  }

  /// The slot that is packaged next.
  var nextSlot: Int64 { segmenter.nextSlot }

  /// Whether the next picture has to be an IDR picture.
  package var isAtSegmentStart: Bool { segmenter.isAtSegmentStart }

  /// Packages the pictures of the next slot and lists the part; it becomes public with `publish`.
  ///
  /// - Parameter wall: what the wall clock says about the beginning of the slot; `nil` for media made in advance.
  /// - Returns: the bytes of the part.
  package mutating func append(_ pictures: [CodedPicture], wall: WallTime?) -> (part: Int, retired: [String]) {
    let output = segmenter.append(pictures)
    adding.append((output.position.partName, output.part))
    var date = dates.date(of: output.start)
    if output.position.part == 0, let wall { date = dates.segmentBegins(at: output.start, wall: wall) }
    let retired = window.append(output, date: date)
    if let segment = output.segment {
      adding.append((output.position.segmentName, segment))
      contents.media[output.position.segmentName] = segment
      ledger.use(output.position.sequence)
    }
    for name in retired { contents.media[name] = nil }
    return (output.part.readableBytes, retired)
  }

  /// Makes all that was appended public in one step.
  package mutating func publish(removing retired: [String]) {
    let next = segmenter.position
    let edition = Edition(
      position: next.part > 0
        ? SlotPosition(sequence: next.sequence, part: next.part - 1)
        : SlotPosition(sequence: next.sequence - 1, part: timeline.partsPerSegment - 1),
      announced: next, media: window.playlist, delta: window.delta, multivariant: multivariant)
    edge.publish(edition, adding: adding, removing: retired)
    adding.removeAll(keepingCapacity: true)
    // A mirrored playlist has complete segments only, so nothing in it changes within a segment.
    if segmenter.isAtSegmentStart { updateMirror() }
  }

  /// Shows a picture as the latest one.
  mutating func show(_ jpeg: ByteBuffer, time: WallTime) {
    shownPictures += 1
    edge.show(LatestPicture(jpeg: jpeg, etag: "\"\(segmenter.nextSlot).\(shownPictures)\"", time: time))
    updateMirror()
  }

  private mutating func updateMirror() {
    guard let mirror else { return }
    typealias Document = MirrorContents.Document
    let segments = segmenter.nextSlot / Int64(timeline.partsPerSegment)
    contents.documents = [
      Document(name: SequenceLedger.fileName, version: Int64(ledger.reserved), bytes: ledger.bytes),
      Document(name: Self.multivariantName, version: 0, bytes: multivariant.plain),
    ]
    if !window.plainPlaylist.segments.isEmpty {
      contents.documents.append(
        Document(name: Self.playlistName, version: segments, bytes: window.plainPlaylist.render()))
    }
    if let latest = edge.latest {
      contents.documents.append(Document(name: Self.latestName, version: shownPictures, bytes: latest.jpeg))
    }
    mirror.update(contents)
  }
}
