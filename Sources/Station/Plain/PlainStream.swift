import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist

/// The second encode of a camera, for players that ignore parts: short segments, made only while somebody requests
/// them.
///
/// It gets the pictures that `latest.jpg` shows, live and recorded alike, so it reveals nothing more, and it can begin
/// with the pictures of the last seconds.
struct PlainStream: ~Copyable {
  /// The changes of a playlist version.
  struct Publication: Sendable {
    /// The playlist, without reports about other renditions.
    let playlist: MediaPlaylist
    /// Its validator, without quotes.
    let etag: String
    let adding: [(name: String, bytes: ByteBuffer)]
    let removing: [String]
    /// The segments that are served, oldest first, each with the time that it has if the playlist ends now.
    let retained: [RemovedSegment]
    /// Neither this number nor a higher one was used in a name.
    let nextName: Int
  }

  private let timeline: TimelineSettings
  private let size: PictureSize
  private var line: PictureLine
  private var segmenter: Segmenter?
  private var window: LiveWindow?
  private let firstName: Int
  private var pending: [CodedPicture] = []
  private var adding: [(name: String, bytes: ByteBuffer)] = []
  private var removing: [String] = []
  private var version = 0

  /// Opens the workers.
  ///
  /// - Parameter firstName: neither this number nor a higher one was used in a name, nor for anything that a playlist
  ///   counts.
  static func open(_ settings: CameraSettings, firstName: Int, logger: Logger) throws(FFmpegError) -> PlainStream {
    var settings = settings
    settings.picture = PictureLine.processed(settings.picture)
    settings.timeline = settings.timeline.plain
    return PlainStream(
      timeline: settings.timeline, size: settings.picture.size, line: try PictureLine.open(settings, logger: logger),
      firstName: firstName)
  }

  private init(timeline: TimelineSettings, size: PictureSize, line: consuming PictureLine, firstName: Int) {
    self.timeline = timeline
    self.size = size
    self.line = line
    self.firstName = firstName
  }

  /// How far the encoder is stepped down from the next segment on. The first one has the camera's own settings: all later
  /// ones fit to its parameter sets.
  var level = LoadLevel.full

  /// How far it is stepped down now; `nil` before the first picture.
  var codedLevel: LoadLevel? { line.codedLevel }

  /// The newest segment; `nil` before the first.
  var newestSequence: Int? { window?.newest?.sequence }

  /// The number of the next name.
  var nextName: Int { segmenter?.nameNumber ?? firstName }

  /// Takes the pictures of a slot: those that begin to show in it, at their steps.
  ///
  /// - Throws: FFmpeg's error.
  mutating func append(_ slot: PlainHistory.Slot) throws {
    for step in 0..<slot.steps {
      let change = slot.changes.last { $0.step == step }
      if let change { try line.show(change.jpeg) }
      // The first segment begins where the others do: at a whole number of segments in stream time.
      let moment = slot.start + timeline.step * Int64(step)
      if segmenter == nil {
        guard moment.isMultiple(of: timeline.segment) else { continue }
        begin(at: moment)
      }
      line.level = line.parameterSets == nil ? .full : level
      pending.append(try line.encode(pending.isEmpty ? .idr : change == nil ? .repeated : .new))
      if pending.count == timeline.stepsPerPart {
        package(date: slot.date.advanced(by: moment + timeline.step - timeline.segment - slot.start))
      }
    }
  }

  private mutating func begin(at moment: Ticks) {
    segmenter = Segmenter(settings: timeline, firstSequence: firstName, start: moment, isPlain: true)
  }

  private mutating func package(date: WallTime) {
    guard let parameterSets = line.parameterSets, let output = segmenter?.append(pending) else { return }
    pending.removeAll(keepingCapacity: true)
    if window == nil {
      let header = InitSegment(parameterSets: parameterSets, size: size, step: timeline.step)
      // The playlist begins again each time that somebody requests it, and its timeline can overlap the one before.
      window = LiveWindow(
        settings: timeline, initName: header.name, firstSequence: output.position.sequence,
        discontinuitySequence: firstName)
      adding.append((header.name, header.bytes))
    }
    removing += window?.append(output, date: date) ?? []
    guard let segment = output.segment else { return }
    adding.append((output.name.file, segment))
    version = output.position.sequence
  }

  /// The changes, once there is enough for every player to begin; `nil` if nothing is to be published.
  mutating func takePublication() -> Publication? {
    guard !adding.isEmpty, let window, window.segments.count >= 3 else { return nil }
    defer { (adding, removing) = ([], []) }
    // No viewer knows of parts.
    let retained = window.retainedSegments.map { RemovedSegment($0.segment, time: $0.time, partTime: .zero) }
    return Publication(
      playlist: window.plainPlaylist, etag: "p\(version)", adding: adding, removing: removing, retained: retained,
      nextName: nextName)
  }
}
