import HTTPTypes

/// Finds requests that a page of another site sent from a browser that can reach the private address.
///
/// Such a page cannot read the answers, but it can send requests without asking first. Browsers say where a request
/// comes from, and no page can change what they say: `Sec-Fetch-Site` (W3C Fetch Metadata) and `Origin` (RFC 6454).
enum OperatorGate {
  /// Whether a browser says that the request comes from a page of another site.
  ///
  /// Programs and cameras send neither header and are never foreign.
  static func isForeign(_ request: HTTPRequest) -> Bool {
    if let site = request.headerFields[.secFetchSite] { return site != "same-origin" && site != "none" }
    guard let origin = request.headerFields[.origin] else { return false }
    guard let scheme = origin.firstRange(of: "://") else { return true }
    let authority = origin[scheme.upperBound...].lowercased()
    // A proxy may ask with its own name for us. A page cannot send X-Forwarded-Host without asking first.
    let ours = [request.authority, request.headerFields[.xForwardedHost]]
    return !ours.contains { $0.map { sameHost($0.lowercased(), authority) } ?? false }
  }

  /// Whether a browser says that the request comes from a page of this very address. A program that only has a cookie
  /// says nothing.
  static func isOurs(_ request: HTTPRequest) -> Bool {
    guard !isForeign(request) else { return false }
    return request.headerFields[.secFetchSite].map { $0 == "same-origin" } ?? (request.headerFields[.origin] != nil)
  }

  /// Whether these are one host and port; a browser leaves out the port that the scheme has anyway.
  private static func sameHost(_ host: String, _ origin: String) -> Bool {
    host == origin || host == origin + ":80" || host == origin + ":443"
  }
}

extension HTTPField.Name {
  static let xForwardedHost = HTTPField.Name("X-Forwarded-Host")!
}
