import Ingest
import Media
import NIOCore
import Picture

/// The pictures in one answer of a camera, one by one: a snapshot, a stream in parts or of JPEGs behind each other.
///
/// The bytes decide which of these it is. A picture ends at its own EOI, whatever length the head says.
struct CameraPictures: Sendable {
  /// What the next step led to.
  enum Step: Sendable {
    case picture(ByteBuffer)
    /// The answer is over. The words say what it was where no picture came.
    case end
    /// What came is no picture and no stream of pictures; the words say what was read.
    case other(words: String)
  }

  /// The largest picture that is read, in bytes.
  static let largest = 64 << 20
  /// How long a picture that goes on behind the announced length is waited for.
  private static let overtime = Ticks.seconds(2)

  private(set) var answer: CameraAnswer
  private var body: BodyReader
  private var findings: [BodyItem] = []
  private var first = ByteBuffer()
  private var isOver = false
  private var isPastEnd = false
  private var count = 0
  private var refusal: String?
  /// The media type that the head says, in lower case without parameters.
  let type: String

  init(_ answer: CameraAnswer) {
    self.answer = answer
    let label = BodyLabel(contentType: answer.head?.first("content-type"), isOpenEnded: true)
    type = label.type
    body = BodyReader(label: label, maxStillBytes: Self.largest)
  }

  /// Whether the pictures come in parts.
  var isInParts: Bool { if case .multipart = body.kind { true } else { false } }

  /// The first bytes of the body.
  var beginning: ByteBuffer { first }

  /// Waits for the next picture.
  mutating func next(within patience: Ticks = CameraAnswer.patience) async throws(CameraTrouble) -> Step {
    while true {
      if !findings.isEmpty {
        switch findings.removeFirst() {
        case .picture(let picture):
          // What breaks off, or is damaged so that its markers show it, is not worth a way to the server.
          do throws(StillRefusal) {
            let header = try JPEGHeader(picture, maxPixels: .max)
            count += 1
            return .picture(picture.getSlice(at: picture.readerIndex, length: header.length) ?? picture)
          } catch { refusal = error.detail }
        case .oversized, .overflow: throw .passing("it sends over \(Self.largest) bytes without a whole picture")
        case .malformed(let words): throw .passing(words)
        }
      }
      if case .unknown = body.kind { return .other(words: other) }
      if isOver { return count > 0 ? .end : .other(words: other) }
      do throws(CameraTrouble) {
        switch try await answer.next(within: isPastEnd ? Self.overtime : patience) {
        case .bytes(let bytes):
          if first.readableBytes < 200 { first.writeBytes(bytes.readableBytesView.prefix(200)) }
          findings += body.read(bytes)
        case .end:
          // A length that is too short would cut the picture that is under way.
          isPastEnd = true
          if body.heldBytes == 0 || body.kind != .picture { finish() }
        case .closed: finish()
        }
      } catch {
        guard isPastEnd else { throw error }
        finish()
      }
    }
  }

  /// The picture that follows the one before in the same answer, if one does soon.
  mutating func following() async -> ByteBuffer? {
    guard case .picture(let picture)? = try? await next(within: .milliseconds(500)) else { return nil }
    return picture
  }

  /// Whether FFmpeg may know what it is.
  var mayBeVideo: Bool {
    if first.readableBytesView.starts(with: "#EXTM3U".utf8) { return true }
    return ["video/", "audio/", "application/"].contains { type.hasPrefix($0) } && !type.contains("json")
      && !type.contains("xml") || type.isEmpty || type == "binary/octet-stream"
  }

  private mutating func finish() {
    isOver = true
    findings += body.finish()
  }

  /// What was read instead of a picture.
  private var other: String {
    if let refusal { return refusal }
    let type = type.isEmpty ? "of no type" : type
    guard first.readableBytes > 0 else { return "the answer (\(type)) is empty" }
    let text = String(
      decoding: first.readableBytesView.prefix(60).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") },
      as: UTF8.self)
    return "the answer (\(type)) begins with \"\(text)\" and is no JPEG"
  }
}
