import Media

/// What the public door's pages say of the site, and what other sites may do with its pages and streams.
package struct SitePolicy: Hashable, Sendable {
  /// The value of `Access-Control-Allow-Origin` on playlists and media: `*`, one origin, or `nil` for no other site.
  package var allowedOrigin: String? = "*"
  /// Who may show the pages in a frame: a source list of `frame-ancestors` (CSP 3, section 6.4.2).
  package var frameAncestors = "*"
  /// What the site is called; `nil` where nobody has said.
  package var title: String?
  /// The absolute address at which visitors see the public door, with a slash at its end; `nil` where requests tell.
  package var baseURL: String?
  /// The file with the pages' icon: SVG, PNG or ICO; `nil` for the program's own.
  package var iconFile: String?
  /// The camera that the sample page shows; `nil` where there is no sample page.
  package var sampleCamera: CameraName?

  /// Every site may do both.
  package init() {}

  /// The site's name for other sites.
  var shownTitle: String { title ?? "Quietcam" }

  /// Whether any other site may show the pages in a frame.
  var mayBeFramed: Bool { frameAncestors != "'none'" && frameAncestors != "'self'" }

  /// The policy of a page: its own scripts and pictures and nothing else.
  var contentSecurity: String {
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
      + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors \(frameAncestors)"
  }
}
