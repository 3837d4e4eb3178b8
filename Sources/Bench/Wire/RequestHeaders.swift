import HTTPTypes

/// The request headers of a real browser, so that the request bytes are realistic.
///
/// Captured from Chromium 156 on Linux through a proxy that kept each request, with the player page, `<img>`, `fetch`
/// and `EventSource`; only "HeadlessChrome" reads "Chrome" here.
struct RequestHeaders: Sendable {
  /// What makes the request on a page.
  enum Initiator: Sendable {
    /// `fetch`, or the XMLHttpRequest of hls.js.
    case script
    /// `<img>`.
    case image
    /// `EventSource`.
    case events
    /// A stylesheet.
    case style
    /// `<script type="module">`.
    case module
    /// The address bar.
    case navigation
  }

  /// The host and port of the server.
  let authority: String
  /// The path of the page that makes the request; `nil` for Quietcam's own page, which tells browsers to send none.
  let referrer: String?
  /// Whether the connection has TLS and HTTP/2.
  let isHTTP2: Bool

  private static let agent =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
  private static let brands = "\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\""

  /// A request as the browser sends it, with the `extra` fields at its end.
  func request(_ path: String, by initiator: Initiator, extra: [(String, String)] = []) -> HTTPRequest {
    var fields = HTTPFields()
    func add(_ name: String, _ value: String) {
      guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no name of a field") }
      fields.append(HTTPField(name: name, value: value))
    }
    let origin = "\(isHTTP2 ? "https" : "http")://\(authority)"
    if !isHTTP2 { add("Connection", "keep-alive") }
    if initiator == .events {
      add("Pragma", "no-cache")
      add("Cache-Control", "no-cache")
    }
    if initiator == .module { add("Origin", origin) }
    add("sec-ch-ua-platform", "\"Linux\"")
    if initiator == .navigation { add("Upgrade-Insecure-Requests", "1") }
    add("User-Agent", Self.agent)
    if initiator == .events { add("Accept", "text/event-stream") }
    add("sec-ch-ua", Self.brands)
    add("sec-ch-ua-mobile", "?0")
    if let accept = initiator.accept { add("Accept", accept) }
    add("Sec-Fetch-Site", initiator == .navigation ? "none" : "same-origin")
    add("Sec-Fetch-Mode", initiator.mode)
    if initiator == .navigation { add("Sec-Fetch-User", "?1") }
    add("Sec-Fetch-Dest", initiator.destination)
    if let referrer, initiator != .navigation { add("Referer", origin + referrer) }
    let hasDictionary = extra.contains { $0.0 == WireDictionary.field }
    add("Accept-Encoding", "gzip, deflate, br, zstd" + (hasDictionary ? ", dcb, dcz" : ""))
    add("Accept-Language", "en-US,en;q=0.9")
    if isHTTP2 { add("Priority", initiator == .navigation ? "u=0, i" : "u=1, i") }
    for (name, value) in extra { add(name, value) }
    return HTTPRequest(
      method: .get, scheme: isHTTP2 ? "https" : "http", authority: authority, path: path, headerFields: fields)
  }
}

extension RequestHeaders.Initiator {
  fileprivate var accept: String? {
    switch self {
    case .script, .module: "*/*"
    case .image: "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
    case .style: "text/css,*/*;q=0.1"
    case .navigation:
      "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,"
        + "application/signed-exchange;v=b3;q=0.7"
    case .events: nil
    }
  }

  fileprivate var mode: String {
    switch self {
    case .script, .events, .module: "cors"
    case .image, .style: "no-cors"
    case .navigation: "navigate"
    }
  }

  fileprivate var destination: String {
    switch self {
    case .script, .events: "empty"
    case .image: "image"
    case .style: "style"
    case .module: "script"
    case .navigation: "document"
    }
  }
}
