import Media

/// The answer to a request how to embed a camera's page (oEmbed 1.0, section 2.3.4.4: type `rich`).
struct OEmbed {
  /// The page's title.
  let title: String
  /// The site's name and absolute address.
  let provider: (name: String, address: String)
  /// The absolute address of the page.
  let page: String
  /// The absolute address of its newest picture and its size, if that is always the same.
  let thumbnail: (address: String, size: PictureSize)?
  /// The size of the stream.
  let size: PictureSize

  /// The JSON for a frame of at most this size.
  func json(maxWidth: Int?, maxHeight: Int?) -> String {
    let frame = Self.fitted(size, maxWidth: maxWidth, maxHeight: maxHeight)
    let html =
      "<iframe src=\"\(page.htmlEscaped)\" width=\"\(frame.width)\" height=\"\(frame.height)\" frameborder=\"0\" "
      + "loading=\"lazy\" allow=\"fullscreen\" title=\"\(title.htmlEscaped)\"></iframe>"
    var fields = [
      ("version", "1.0".jsonQuoted), ("type", "rich".jsonQuoted), ("title", title.jsonQuoted),
      ("provider_name", provider.name.jsonQuoted), ("provider_url", provider.address.jsonQuoted),
      ("cache_age", "300"), ("width", "\(frame.width)"), ("height", "\(frame.height)"), ("html", html.jsonQuoted),
    ]
    if let thumbnail, thumbnail.size.width <= maxWidth ?? .max, thumbnail.size.height <= maxHeight ?? .max {
      fields += [
        ("thumbnail_url", thumbnail.address.jsonQuoted), ("thumbnail_width", "\(thumbnail.size.width)"),
        ("thumbnail_height", "\(thumbnail.size.height)"),
      ]
    }
    return "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
  }

  /// The largest size of the same shape within both limits; at least one pixel in each direction.
  static func fitted(_ size: PictureSize, maxWidth: Int?, maxHeight: Int?) -> PictureSize {
    var size = size
    if let most = maxWidth, size.width > most {
      size = PictureSize(width: most, height: max(1, size.height * most / size.width))
    }
    if let most = maxHeight, size.height > most {
      size = PictureSize(width: max(1, size.width * most / size.height), height: most)
    }
    return size
  }
}
