import Foundation
import Media
import NIOCore
import Packager

/// The content of `loop.json`: how a stored loop was made, and its files.
struct LoopManifest: Codable, Hashable, Sendable {
  static let fileName = "loop.json"
  static let initName = "init.mp4"
  /// The version that is written and read.
  static let version = 1
  /// The largest manifest that is read; that of a day at ten pictures a second is smaller.
  static let mostBytes = 64 << 20

  /// The largest file that a manifest may name.
  private static let mostFileBytes = 1 << 32
  /// The times that it may give: with these, times can be added without a check.
  private static let times = Ticks.zero - .seconds(366 * 86_400)...Ticks.seconds(366 * 86_400)

  /// What a file must be.
  struct File: Codable, Hashable, Sendable {
    var bytes: Int
    var fingerprint: String

    init(_ content: ByteBuffer) {
      bytes = content.readableBytes
      fingerprint = content.fingerprint
    }
  }

  /// One segment: `K.mp4` and, one after another in `K.mjpeg`, its JPEGs. The first is shown at step 0.
  struct SegmentEntry: Codable, Hashable, Sendable {
    var media: File
    var jpegs: File
    /// The step and length of each JPEG.
    var pictures: [ShownPictureEntry]
    /// Whether the picture at step 0 is new there.
    var beginsAnew: Bool
  }

  var version = Self.version
  /// When it was made, ISO 8601.
  var made: String
  var source: LoopSource
  /// `LoopSettings.values`.
  var settings: [String: String]
  /// The init segment, which also contains the parameter sets.
  var initSegment: File
  var segments: [SegmentEntry]

  static func mediaName(_ index: Int) -> String { "\(index).mp4" }
  static func jpegsName(_ index: Int) -> String { "\(index).mjpeg" }

  /// The manifest from a file's content.
  ///
  /// - Throws: what is wrong with it, as `LoopError`.
  init(_ content: ByteBuffer) throws {
    do {
      self = try JSONDecoder().decode(LoopManifest.self, from: Data(content.readableBytesView))
    } catch {
      throw LoopError(description: "\(Self.fileName) is damaged: \(error)")
    }
    guard version == Self.version else {
      throw LoopError(
        description: "\(Self.fileName) has version \(version), but this program reads version \(Self.version)")
    }
    let isPlausible = segments.allSatisfy { segment in
      let files = [initSegment, segment.media, segment.jpegs]
      return files.allSatisfy { (1...Self.mostFileBytes).contains($0.bytes) } && segment.pictures.first?.step == 0
        && segment.pictures.allSatisfy { (1...segment.jpegs.bytes).contains($0.bytes) }
        && zip(segment.pictures, segment.pictures.dropFirst()).allSatisfy { $0.step < $1.step }
        && segment.pictures.reduce(0) { $0 + $1.bytes } == segment.jpegs.bytes
        && segment.pictures.allSatisfy { Self.times.contains($0.slotOffset ?? .zero) }
    }
    let isOfTime = [source.every, source.length].allSatisfy { Self.times.contains(Ticks($0 ?? 0)) }
    guard isPlausible, isOfTime, !segments.isEmpty else {
      throw LoopError(description: "\(Self.fileName) is damaged: it has no segments or impossible values")
    }
  }

  init(made: WallTime, source: LoopSource, settings: LoopSettings, initSegment: ByteBuffer, segments: [SegmentEntry]) {
    self.made = made.iso8601
    self.source = source
    self.settings = settings.values
    self.initSegment = File(initSegment)
    self.segments = segments
  }

  /// The file's content.
  var content: ByteBuffer {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return ByteBuffer(bytes: try encoder.encode(self) + [0x0A])
    }
  }
}

/// The source of a loop's pictures, with everything that is needed to make it again.
package struct LoopSource: Codable, Hashable, Sendable {
  /// The kinds of source.
  package enum Kind: String, Codable, Sendable {
    /// A folder of stills, or a single one.
    case stills
    /// A video file.
    case video
    /// What the camera itself showed.
    case recording
  }

  /// The kind.
  package var kind: Kind
  /// The absolute path of stills or video.
  package var path: String?
  /// The interval between stills, or pictures of a video; in ticks of 90 kHz.
  package var every: Int64?
  /// The requested length of the loop; in ticks of 90 kHz.
  package var length: Int64?

  /// A source.
  package init(kind: Kind, path: String? = nil, every: Ticks? = nil, length: Ticks? = nil) {
    self.kind = kind
    self.path = path
    self.every = every?.count
    self.length = length?.count
  }

  /// The source of the loop of the camera with this folder in the store; `nil` if there is none or it cannot be read.
  package static func ofLoop(in folder: String) -> LoopSource? { manifest(in: folder)?.source }

  /// The source of such a loop, if the loop was made with other settings and the source is still there.
  package static func ofOutdatedLoop(in folder: String, settings: CameraSettings) -> LoopSource? {
    guard let manifest = manifest(in: folder), manifest.settings != LoopSettings(settings).values,
      let path = manifest.source.path, access(path, R_OK) == 0
    else { return nil }
    return manifest.source
  }

  private static func manifest(in folder: String) -> LoopManifest? {
    guard let path = LoopFolder.path(in: folder) else { return nil }
    return try? LoopManifest(
      try LoopFolder.read("\(path)/\(LoopManifest.fileName)", mostBytes: LoopManifest.mostBytes))
  }

  /// The command that makes the loop again, as far as it is known.
  package func command(camera: CameraName) -> String {
    let flag = length.map { Ticks($0).secondsText + "s" }
    switch kind {
    case .recording: return "quietcam loop --record \(flag ?? "10m") --camera \(camera)"
    case .stills, .video:
      guard let path, access(path, R_OK) == 0 else { return "quietcam loop SOURCE --camera \(camera)" }
      return "quietcam loop --camera \(camera)"
    }
  }
}

/// Why a loop cannot be made, stored or read, as one sentence.
package struct LoopError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence.
  package let description: String

  /// An error with this sentence.
  package init(description: String) { self.description = description }
}
