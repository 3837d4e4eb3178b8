import Media

/// What a page says about itself for link previews: icon, title and picture (Open Graph protocol, Twitter cards), and
/// where an `<iframe>` of it is available (oEmbed, section 4).
struct PageHead {
  /// How long a picture's address stays the same, in seconds. Link previews keep a picture by its address for ever.
  static let pictureSeconds: Int64 = 300

  /// The page's title.
  let title: String
  /// The site's name.
  let siteName: String
  /// The icon's address, relative to the page, and its type.
  let icon: (address: String, type: String)

  /// The lines of a page that is not public.
  var plain: String {
    "<link rel=\"icon\" href=\"\(icon.address.htmlEscaped)\" type=\"\(icon.type)\">"
  }

  /// The lines of a public page.
  ///
  /// - Parameters:
  ///   - root: the absolute address of the site.
  ///   - path: the page's address after the root.
  ///   - camera: the folder of the camera whose picture represents the page, after the root.
  ///   - size: the picture's size, if it is always the same.
  ///   - offersFrame: whether other sites can show the page in a frame.
  func lines(
    root: String, path: String, camera: String, size: PictureSize?, offersFrame: Bool, now: WallTime
  ) -> String {
    let picture = "\(root)\(camera)latest.jpg?t=\(Self.stamp(now))"
    var properties = [
      ("og:type", "website"), ("og:site_name", siteName), ("og:title", title), ("og:url", root + path),
      ("og:image", picture), ("og:image:type", "image/jpeg"), ("og:image:alt", "Newest picture of \(title)"),
    ]
    if let size { properties += [("og:image:width", "\(size.width)"), ("og:image:height", "\(size.height)")] }
    let names = [("twitter:card", "summary_large_image"), ("twitter:title", title), ("twitter:image", picture)]
    var lines = [plain]
    lines += properties.map { "<meta property=\"\($0)\" content=\"\($1.htmlEscaped)\">" }
    lines += names.map { "<meta name=\"\($0)\" content=\"\($1.htmlEscaped)\">" }
    if offersFrame {
      let address = "\(root)oembed?url=\((root + path).queryEscaped)"
      lines.append(
        "<link rel=\"alternate\" type=\"application/json+oembed\" href=\"\(address.htmlEscaped)\" "
          + "title=\"\(title.htmlEscaped)\">")
    }
    return lines.joined(separator: "\n")
  }

  /// Changes a picture's address from time to time: by the time, not by what is shown.
  static func stamp(_ now: WallTime) -> Int64 {
    Ticks(now.milliseconds).floorDivided(by: Ticks(pictureSeconds * 1000)) * pictureSeconds
  }
}
