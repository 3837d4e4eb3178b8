import Media

/// An event of a camera, for its listeners.
package struct CameraEvent: Sendable, Hashable {
  /// The kind of event.
  package enum Kind: String, Sendable {
    /// A new picture will be on the screens.
    case still
    /// A visitor waved.
    case wave
    /// The stream shows the loop from now on, or live pictures again; only with `mark-recorded`.
    case source
  }

  /// What happened, with its details.
  package enum Content: Hashable, Sendable {
    /// A picture of this size began to show, whose still arrived then; its JPEG has so many bytes, and a name where it is
    /// kept as a photo.
    case still(time: WallTime, bytes: Int, size: PictureSize, photo: PhotoName? = nil)
    /// Visitors have waved this often.
    case wave(count: Int64)
    /// The stream shows the loop from now on, or live pictures.
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

  /// Rises from event to event, also over a restart: wall clock time in milliseconds, or one more than the last.
  package let id: Int64
  /// The kind of event.
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
