import Foundation
import Media
import NIOCore
import Playlist

/// What a version of a playlist tells a viewer, read once for all viewers that get the same bytes.
struct PlaylistNews: Sendable {
  /// A part or a segment.
  struct Piece: Sendable {
    let sequence: Int
    /// Its index in the segment; `.max` for a whole segment.
    let part: Int
    let request: CrowdViewer.Request
  }

  /// The parts that are listed and the segments, oldest first.
  let parts: [Piece]
  let segments: [Piece]
  /// The next blocking reload; `nil` where the server does not hold requests.
  let reload: String?
  /// The segment that is being made.
  let open: String?
  let target: Ticks
  /// How long a part is; a segment, where there are no parts.
  let part: Ticks

  /// Reads a version of the playlist at `path`.
  ///
  /// - Parameter host: the server's own, with its port: media of other hosts cannot be requested from it.
  /// - Throws: `PlaylistError`, and `AnswerScanner.Mistake` where the media are on another host.
  init(_ bytes: ByteBuffer, path: String, host: String) throws {
    let playlist = try MediaPlaylist.parse(bytes)
    var (parts, segments): ([Piece], [Piece]) = ([], [])
    let first = playlist.mediaSequence + (playlist.skipped ?? 0)
    // A byte range without an offset begins where the one before ended (rfc8216bis, section 4.4.4.2).
    var ends = (part: 0, segment: 0)
    func piece(
      _ sequence: Int, _ part: Int, _ uri: String, _ range: MediaPlaylist.ByteRange?
    ) throws(AnswerScanner.Mistake) -> Piece {
      let path = try Self.path(uri, from: path, host: host)
      guard let range, range.length > 0 else {
        return Piece(sequence: sequence, part: part, request: .init(path: path))
      }
      let start = range.offset ?? (part == .max ? ends.segment : ends.part)
      let end = start + range.length
      if part == .max { ends.segment = end } else { ends.part = end }
      return Piece(sequence: sequence, part: part, request: .init(path: path, range: "bytes=\(start)-\(end - 1)"))
    }
    for (index, segment) in playlist.segments.enumerated() where !segment.gap {
      for (number, part) in segment.parts.enumerated() {
        parts.append(try piece(first + index, number, part.uri, part.byteRange))
      }
      segments.append(try piece(first + index, .max, segment.uri, segment.byteRange))
    }
    for (number, part) in playlist.trailingParts.enumerated() {
      parts.append(try piece(playlist.end, number, part.uri, part.byteRange))
    }
    (self.parts, self.segments) = (parts, segments)
    reload = playlist.reloadQuery.map { path + (path.contains("?") ? "&" : "?") + $0 }
    // SEGMENT.PART.mp4 is a part of SEGMENT.mp4.
    let pieces = playlist.preloadHint?.uri.split(separator: ".") ?? []
    open = pieces.count == 3 ? resolve("\(pieces[0]).\(pieces[2])", from: path) : nil
    target = .seconds(Int64(playlist.targetDuration))
    part = playlist.partTarget ?? target
  }

  /// The path of an address in a playlist.
  ///
  /// - Throws: `AnswerScanner.Mistake` if it is on another host.
  static func path(_ uri: String, from path: String, host: String) throws(AnswerScanner.Mistake) -> String {
    guard uri.contains("://") || uri.hasPrefix("//") else { return resolve(uri, from: path) }
    guard let url = URLComponents(string: uri), let name = url.host else {
      throw AnswerScanner.Mistake(description: "\(uri.prefix(80)) in the playlist is no address")
    }
    let port = url.port ?? (url.scheme == "https" ? 443 : 80)
    guard "\(name):\(port)" == host || (url.scheme == nil && name == host.prefix { $0 != ":" }) else {
      throw AnswerScanner.Mistake(
        description: "the playlist names \(name):\(port), another host than \(host); bench viewers keeps to one host")
    }
    let query = url.percentEncodedQuery.map { "?\($0)" } ?? ""
    return (url.percentEncodedPath.isEmpty ? "/" : url.percentEncodedPath) + query
  }
}
