import Media
import NIOCore
import Packager
import Playlist

/// One published state of a camera's stream: everything that a playlist request needs.
package struct PlaylistSnapshot: Sendable {
  /// The newest part.
  package let position: PartPosition
  /// The part that the playlist hints with EXT-X-PRELOAD-HINT.
  package let hinted: PartPosition
  /// The file name of that part.
  package let hintedName: String
  /// When the listed segments begin, and the one that is being made, by their file names.
  package let dates: [String: WallTime]
  /// The media playlist with parts.
  package let media: EncodedText
  /// The same as a delta update; `nil` if nothing can be skipped.
  package let delta: EncodedText?
  /// The multivariant playlist.
  package let multivariant: EncodedText
  /// When it was published.
  var published: ContinuousClock.Instant

  /// The state after `position` was published.
  ///
  /// - Parameter earlier: the texts of the states before it, newest first.
  init(
    position: PartPosition, hinted: PartPosition, hintedName: String, media: MediaPlaylist,
    delta: MediaPlaylist?, multivariant: EncodedText, earlier: [TextDictionary] = []
  ) {
    self.position = position
    self.hinted = hinted
    self.hintedName = hintedName
    var dates: [String: WallTime] = [:]
    for segment in media.segments { dates[segment.uri] = segment.programDateTime }
    if !media.trailingParts.isEmpty, let date = media.trailingProgramDateTime {
      dates[SegmentName.file(ofPart: hintedName)] = date
    }
    self.dates = dates
    let etag = "\(position.sequence).\(position.part)"
    self.media = EncodedText(media.render(), etag: etag, earlier: earlier)
    self.delta = delta.map { EncodedText($0.render(), etag: etag + "d", earlier: earlier) }
    self.multivariant = multivariant
    published = .now
  }
}

/// The newest picture as a JPEG, encoded by the server.
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
