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
    let path: String
  }

  /// The parts that are listed and the segments, oldest first.
  let parts: [Piece]
  let segments: [Piece]
  /// The next blocking reload; `nil` where the server does not hold requests.
  let reload: String?
  /// The segment that is being made.
  let open: String?
  let target: Ticks

  /// Reads a version of the playlist at `path`.
  ///
  /// - Throws: `PlaylistError`.
  init(_ bytes: ByteBuffer, path: String) throws(PlaylistError) {
    let playlist = try MediaPlaylist.parse(bytes)
    var (parts, segments): ([Piece], [Piece]) = ([], [])
    let first = playlist.mediaSequence + (playlist.skipped ?? 0)
    for (index, segment) in playlist.segments.enumerated() where !segment.gap {
      segments.append(Piece(sequence: first + index, part: .max, path: resolve(segment.uri, from: path)))
      for (number, part) in segment.parts.enumerated() {
        parts.append(Piece(sequence: first + index, part: number, path: resolve(part.uri, from: path)))
      }
    }
    for (number, part) in playlist.trailingParts.enumerated() {
      parts.append(Piece(sequence: playlist.end, part: number, path: resolve(part.uri, from: path)))
    }
    (self.parts, self.segments) = (parts, segments)
    reload = playlist.reloadQuery.map { "\(path)?\($0)" }
    // SEGMENT.PART.mp4 is a part of SEGMENT.mp4.
    let pieces = playlist.preloadHint?.uri.split(separator: ".") ?? []
    open = pieces.count == 3 ? resolve("\(pieces[0]).\(pieces[2])", from: path) : nil
    target = .seconds(Int64(playlist.targetDuration))
  }
}
