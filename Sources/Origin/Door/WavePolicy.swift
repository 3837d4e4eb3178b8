import HTTPTypes
import Hummingbird

/// The sites that waves are accepted from.
///
/// A wave needs no token, because there is nothing to misuse: it is sent without cookies or other credentials, the
/// server knows no users, and only a count changes, by a few for each visitor. So the pages that can load the stream
/// can send it too. A site that `allow-origin` does not admit is refused, by the `Origin` that browsers add to every
/// POST (Fetch, section 3.2).
enum WavePolicy {
  /// Whether a wave from the page that sent this request is accepted.
  static func allows(_ request: Request, site: SitePolicy) -> Bool {
    guard site.allowedOrigin != "*", let origin = request.headers[.origin] else { return true }
    // The browser says that the page is of this site, whatever host a proxy has set.
    if request.headers[.secFetchSite] == "same-origin" || origin == site.allowedOrigin { return true }
    guard let host = origin.firstRange(of: "://").map({ origin[$0.upperBound...] }) else { return false }
    if let base = site.baseURL, base.hasPrefix(origin + "/") { return true }
    return request.head.authority.map { $0.lowercased() == host.lowercased() } ?? false
  }
}
