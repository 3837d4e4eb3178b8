import Media

/// What a page says about itself to those who show a link to it: icon, title and picture (Open Graph protocol, Twitter
/// cards), and where an `<iframe>` of it is to be had (oEmbed, section 4).
struct PageHead {
  /// How long a picture's address stays the same, in seconds. Who unfurls links keeps a picture by its address for good.
  static let pictureSeconds: Int64 = 300

  /// The page's title.
  let title: String
  /// The site's name.
  let siteName: String
  /// The icon's address, seen from the page, and its type.
  let icon: (address: String, type: String)

  /// The lines of a page that nobody is told about.
  var plain: String {
    "<link rel=\"icon\" href=\"\(icon.address.htmlEscaped)\" type=\"\(icon.type)\">"
  }

  /// The lines of a public page.
  ///
  /// - Parameters:
  ///   - root: the absolute address of the site.
  ///   - path: the page's address behind it.
  ///   - camera: the folder of the camera whose picture stands for the page, behind the root.
  ///   - size: the picture's size where it is always the same.
  ///   - offersFrame: whether other sites may show the page in a frame.
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

  /// What makes a picture's address another one after a while: the time, not what is shown.
  static func stamp(_ now: WallTime) -> Int64 {
    Ticks(now.milliseconds).floorDivided(by: Ticks(pictureSeconds * 1000)) * pictureSeconds
  }
}
