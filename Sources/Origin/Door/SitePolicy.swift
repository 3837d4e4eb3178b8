/// What other sites may do with the public door's pages and streams.
package struct SitePolicy: Hashable, Sendable {
  /// The value of `Access-Control-Allow-Origin` on playlists and media: `*`, one origin, or `nil` for no other site.
  package var allowedOrigin: String? = "*"
  /// Who may show the pages in a frame: a source list of `frame-ancestors` (CSP 3, section 6.4.2).
  package var frameAncestors = "*"

  /// Every site may do both.
  package init() {}

  /// The policy of a page: its own scripts and pictures and nothing else.
  var contentSecurity: String {
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
      + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors \(frameAncestors)"
  }
}
