import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import Picture
import Playlist

/// A viewer without a screen that makes blocking reloads, one for each part, as a low-latency player does, and decodes
/// the parts.
struct PartFollower {
  /// The address of the camera's playlists.
  let camera: URL

  /// Follows the stream until it is cancelled or cannot be followed.
  ///
  /// - Parameter onPicture: gets each picture as soon as its part has arrived.
  func follow(onPicture: (borrowing Frame) -> Void) async throws {
    let multivariant = try MultivariantPlaylist.parse(try await fetch("index.m3u8"))
    guard let name = multivariant.variants.first?.uri else { throw LatencyError("no variant is listed") }
    var decoder = try StreamDecoder()
    var playlist = try MediaPlaylist.parse(try await fetch(name))
    // Decoding begins with the newest independent part.
    var next = (
      sequence: playlist.mediaSequence + playlist.segments.count,
      part: playlist.trailingParts.lastIndex { $0.independent } ?? playlist.trailingParts.count
    )
    while true {
      let open = playlist.mediaSequence + playlist.segments.count
      let parts: [MediaPlaylist.Part]
      if next.sequence == open {
        parts = Array(playlist.trailingParts.dropFirst(next.part))
      } else if playlist.segments.indices.contains(next.sequence - playlist.mediaSequence) {
        parts = Array(playlist.segments[next.sequence - playlist.mediaSequence].parts.dropFirst(next.part))
      } else {
        throw LatencyError("the stream has gone on without this client")
      }
      for part in parts {
        for picture in FragmentReader.pictures(try await fetch(part.uri)) { onPicture(try decoder.decode(picture)) }
        next.part += 1
      }
      if next.sequence < open {
        next = (next.sequence + 1, 0)
        continue
      }
      playlist = try MediaPlaylist.parse(
        try await fetch("\(name)?_HLS_msn=\(next.sequence)&_HLS_part=\(next.part)"))
    }
  }

  /// The whole body at a name below the camera's address, or at an address.
  func fetch(_ path: String) async throws -> ByteBuffer {
    let url = path.contains("://") ? path : camera.appendingPathComponent("").absoluteString + path
    let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
    guard answer.status == .ok else { throw LatencyError("\(url) answers \(answer.status.code)") }
    return try await answer.body.collect(upTo: 1 << 24)
  }
}
