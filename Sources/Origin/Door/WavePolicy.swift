import HTTPTypes
import Hummingbird

/// From which sites a wave is taken.
///
/// A wave needs no protection by a token, because there is nothing that it could misuse: it is sent without cookies or
/// other credentials, the server knows nobody, and all that changes is a count, of which one visitor can add a few. So
/// the pages that may load the stream may send it too, and a site that `allow-origin` does not let in is refused, by the
/// `Origin` that browsers put on every POST (Fetch, section 3.2).
enum WavePolicy {
  /// Whether a wave from the page that sent this request is taken.
  static func allows(_ request: Request, site: SitePolicy) -> Bool {
    guard site.allowedOrigin != "*", let origin = request.headers[.origin] else { return true }
    // The browser says that the page is of this very site, whatever a proxy made of the host.
    if request.headers[.secFetchSite] == "same-origin" || origin == site.allowedOrigin { return true }
    guard let host = origin.firstRange(of: "://").map({ origin[$0.upperBound...] }) else { return false }
    if let base = site.baseURL, base.hasPrefix(origin + "/") { return true }
    return request.head.authority.map { $0.lowercased() == host.lowercased() } ?? false
  }
}
