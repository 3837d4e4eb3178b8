import NIOConcurrencyHelpers

/// Bytes of a connection, both ways, by purpose. TCP's payload is counted, not its headers.
package struct WireBytes: Codable, Hashable, Sendable {
  /// Pictures and video: bodies of images, init segments, segments and parts.
  package var media = 0
  /// Playlists, and events where they replace playlists: what tells a viewer that there is something new.
  package var playlists = 0
  /// Headers of answers, and the separators of a chunked or multipart body.
  package var headers = 0
  /// Requests.
  package var requests = 0
  /// TLS records and handshakes, and HTTP/2 frame headers and settings; both ways.
  package var framing = 0

  /// No bytes.
  package init() {}

  /// All bytes.
  package var total: Int { media + playlists + headers + requests + framing }

  /// What was added since `earlier`.
  package static func - (later: WireBytes, earlier: WireBytes) -> WireBytes {
    var difference = WireBytes()
    difference.media = later.media - earlier.media
    difference.playlists = later.playlists - earlier.playlists
    difference.headers = later.headers - earlier.headers
    difference.requests = later.requests - earlier.requests
    difference.framing = later.framing - earlier.framing
    return difference
  }
}

/// The kind of an answer's body, for counting.
enum BodyKind: Hashable, Sendable {
  /// A picture, or video.
  case media
  /// A playlist, or events.
  case playlist
}

/// The counts of one viewer, kept by the handlers of all its connections.
final class WireTally: Sendable {
  /// What the layers have seen so far.
  struct Counts: Hashable, Sendable {
    /// At the socket.
    var (socketDown, socketUp) = (0, 0)
    /// Below HTTP and above TLS; the same as at the socket without TLS.
    var (plainDown, plainUp) = (0, 0)
    /// Payloads of HTTP/2's HEADERS and CONTINUATION frames.
    var (fieldsDown, fieldsUp) = (0, 0)
    /// Whether the connections speak HTTP/2.
    var isHTTP2 = false
    /// Bodies as received: still gzipped.
    var (media, playlists) = (0, 0)
    /// Bytes inside bodies that only separate pictures.
    var partHeaders = 0
  }

  private let counts = NIOLockedValueBox(Counts())

  /// Counts that are all zero.
  init() {}

  func add(_ change: (inout Counts) -> Void) { counts.withLockedValue { change(&$0) } }

  /// What the layers have seen up to now.
  var now: Counts { counts.withLockedValue { $0 } }

  /// The same by purpose.
  var bytes: WireBytes { WireBytes(now) }
}

extension WireBytes {
  /// Sorts what the layers saw by purpose; the sum is what passed the socket.
  init(_ counts: WireTally.Counts) {
    self.init()
    media = counts.media - counts.partHeaders
    playlists = counts.playlists
    let bodies = counts.media + counts.playlists
    headers = (counts.isHTTP2 ? counts.fieldsDown : counts.plainDown - bodies) + counts.partHeaders
    requests = counts.isHTTP2 ? counts.fieldsUp : counts.plainUp
    framing = counts.socketDown + counts.socketUp - media - playlists - headers - requests
  }
}
