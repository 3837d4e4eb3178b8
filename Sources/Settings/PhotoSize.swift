import Media

/// The size of a camera's pictures in `latest.jpg` and as photos.
enum PhotoSize: Hashable, Sendable {
  /// As in the stream.
  case stream
  /// As large as the stills, within this size.
  case within(PictureSize)

  /// The default if no veil can start.
  static let standard = PictureSize(width: 1920, height: 1280)
}

extension ValueType where Value == PhotoSize? {
  /// The size of photos, or a word for that of the stream.
  static var photoSize: ValueType {
    ValueType(
      "WIDTHxHEIGHT|stream", accepted: "two numbers from 32 to 8192 around an x, such as 1920x1280, or stream",
      text: { size in
        switch size {
        case .stream: "stream"
        case .within(let size): size.description
        case nil: "none"
        }
      }
    ) { text in
      if text == "stream" { return .stream }
      guard let size = PictureSize(text), (32...8192).contains(size.width), (32...8192).contains(size.height) else {
        return nil
      }
      return .within(size)
    }
  }
}
