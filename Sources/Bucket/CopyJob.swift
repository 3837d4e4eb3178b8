import NIOCore
import Station

/// One request to the bucket.
struct CopyJob: Sendable {
  /// What is done.
  enum Work: Sendable {
    /// The camera's objects are listed, and its playlist is read.
    case look
    /// An object is written.
    case put(ByteBuffer)
    /// A photo is read, which may be on disk only, and written.
    case putPhoto(PhotoName)
    /// An object is removed.
    case delete
  }

  /// The object's name in the camera's folder; empty for a look.
  let name: String
  let work: Work
  /// Seconds for which it may be cached; `nil` for ever.
  var seconds: Int?

  /// A look at what is there.
  static let look = CopyJob(name: "", work: .look)

  /// The value of `Cache-Control`.
  var caching: String { seconds.map { "public, max-age=\($0)" } ?? "public, max-age=31536000, immutable" }

  /// The content type (RFC 8216, section 4, for playlists).
  var type: String {
    if name.hasSuffix(".m3u8") { return "application/vnd.apple.mpegurl" }
    if name.hasSuffix(".json") { return "application/json" }
    return name.hasSuffix(".jpg") ? "image/jpeg" : "video/mp4"
  }
}

/// What became of a request.
enum CopyOutcome: Sendable {
  /// It was done.
  case done
  /// It was not, or nobody knows.
  case failed
  /// There is nothing to write any more.
  case gone
}
