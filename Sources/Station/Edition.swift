import Media
import NIOCore
import Packager
import Playlist

/// A text as it goes over the wire, made once for all who ask: plain, gzipped, and with its validator.
public struct Rendition: Sendable {
  /// The text.
  public let plain: ByteBuffer
  /// The same, gzipped.
  public let gzipped: ByteBuffer
  /// The ETag, in its quotes; a strong one that holds for the plain form.
  public let etag: String

  /// The wire forms of a text.
  public init(_ plain: ByteBuffer, etag: String) {
    self.plain = plain
    gzipped = plain.gzipped()
    self.etag = "\"\(etag)\""
  }
}

/// One published state of a camera's stream: all that a playlist request is answered from.
public struct Edition: Sendable {
  /// The newest part.
  public let position: SlotPosition
  /// The part that the playlist announces with EXT-X-PRELOAD-HINT.
  public let announced: SlotPosition
  /// The file name of that part.
  public let announcedName: String
  /// The media playlist with parts.
  public let media: Rendition
  /// The same as a delta update; `nil` where nothing can be skipped.
  public let delta: Rendition?
  /// The multivariant playlist.
  public let multivariant: Rendition

  /// The state after `position` was published.
  init(
    position: SlotPosition, announced: SlotPosition, announcedName: String, media: MediaPlaylist,
    delta: MediaPlaylist?, multivariant: Rendition
  ) {
    self.position = position
    self.announced = announced
    self.announcedName = announcedName
    let etag = "\(position.sequence).\(position.part)"
    self.media = Rendition(media.render(), etag: etag)
    self.delta = delta.map { Rendition($0.render(), etag: etag + "d") }
    self.multivariant = multivariant
  }
}

/// The newest picture as a JPEG of our own making.
public struct LatestPicture: Sendable {
  /// The JPEG, without any metadata.
  public let jpeg: ByteBuffer
  /// The same in the stream's size, for recordings.
  let small: ByteBuffer
  /// The ETag, in its quotes.
  public let etag: String
  /// When its still arrived.
  public let time: WallTime
}

/// Something that happened at a camera, for those who listen to its events.
public struct CameraEvent: Sendable, Hashable {
  /// What happened.
  public enum Kind: String, Sendable {
    /// A new picture is on its way to the screens.
    case still
    /// A visitor waved.
    case wave
    /// The stream shows recorded pictures from now on, or live ones again; only where the operator wants it told.
    case source
  }

  /// Rises from event to event, also over a restart: milliseconds of civil time, or one more than the last.
  public let id: Int64
  /// What happened.
  public let kind: Kind
  /// The details as one line of JSON.
  public let json: String
}
