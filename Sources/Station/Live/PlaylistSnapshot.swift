import Media
import NIOCore
import Packager
import Playlist

/// A text as it goes over the wire, made once for all who ask: plain, gzipped, and with its validator.
package struct EncodedText: Sendable {
  /// The text.
  package let plain: ByteBuffer
  /// The same, gzipped.
  package let gzipped: ByteBuffer
  /// The ETag, in its quotes; a strong one that holds for the plain form.
  package let etag: String

  /// The wire forms of a text.
  package init(_ plain: ByteBuffer, etag: String) {
    self.plain = plain
    gzipped = plain.gzipped()
    self.etag = "\"\(etag)\""
  }
}

/// One published state of a camera's stream: all that a playlist request is answered from.
package struct PlaylistSnapshot: Sendable {
  /// The newest part.
  package let position: PartPosition
  /// The part that the playlist announces with EXT-X-PRELOAD-HINT.
  package let hinted: PartPosition
  /// The file name of that part.
  package let hintedName: String
  /// The media playlist with parts.
  package let media: EncodedText
  /// The same as a delta update; `nil` where nothing can be skipped.
  package let delta: EncodedText?
  /// The multivariant playlist.
  package let multivariant: EncodedText

  /// The state after `position` was published.
  init(
    position: PartPosition, hinted: PartPosition, hintedName: String, media: MediaPlaylist,
    delta: MediaPlaylist?, multivariant: EncodedText
  ) {
    self.position = position
    self.hinted = hinted
    self.hintedName = hintedName
    let etag = "\(position.sequence).\(position.part)"
    self.media = EncodedText(media.render(), etag: etag)
    self.delta = delta.map { EncodedText($0.render(), etag: etag + "d") }
    self.multivariant = multivariant
  }
}

/// The newest picture as a JPEG of our own making.
package struct LatestPicture: Sendable {
  /// The JPEG, without any metadata.
  package let jpeg: ByteBuffer
  /// The same in the stream's size, for recordings.
  let small: ByteBuffer
  /// The ETag, in its quotes.
  package let etag: String
  /// When its still arrived.
  package let time: WallTime
}
