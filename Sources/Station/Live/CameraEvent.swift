import Media

/// Something that happened at a camera, for those who listen to its events.
package struct CameraEvent: Sendable, Hashable {
  /// What happened.
  package enum Kind: String, Sendable {
    /// A new picture is on its way to the screens.
    case still
    /// A visitor waved.
    case wave
    /// The stream shows recorded pictures from now on, or live ones again; only where the operator wants it told.
    case source
  }

  /// What happened, with its details.
  package enum Content: Hashable, Sendable {
    /// A picture of this size began to show, whose still arrived then; its JPEG has so many bytes, and a name where it is
    /// kept as a photo.
    case still(time: WallTime, bytes: Int, size: PictureSize, photo: PhotoName? = nil)
    /// Visitors have waved so often.
    case wave(count: Int64)
    /// The stream shows recorded pictures from now on, or live ones.
    case source(isRecorded: Bool)

    var kind: Kind {
      switch self {
      case .still: .still
      case .wave: .wave
      case .source: .source
      }
    }

    /// The details as one line of JSON.
    var json: String {
      switch self {
      case .still(let time, let bytes, let size, let photo):
        "{\"time\":\"\(time.iso8601)\",\"bytes\":\(bytes),\"width\":\(size.width),\"height\":\(size.height)"
          + (photo.map { ",\"photo\":\"\($0)\"" } ?? "") + "}"
      case .wave(let count): "{\"waves\":\(count)}"
      case .source(let isRecorded): "{\"source\":\"\(isRecorded ? "recorded" : "live")\"}"
      }
    }
  }

  /// Rises from event to event, also over a restart: milliseconds of civil time, or one more than the last.
  package let id: Int64
  /// What happened.
  package let kind: Kind
  /// The details as one line of JSON, made once for all listeners.
  package let json: String

  /// An event of this content.
  package init(id: Int64, _ content: Content) {
    self.id = id
    kind = content.kind
    json = content.json
  }
}
