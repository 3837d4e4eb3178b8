import HTTPTypes
import Hummingbird
import Media

/// What the public door's pages say of the site, and what other sites may do with its pages and streams.
package struct SitePolicy: Hashable, Sendable {
  /// The value of `Access-Control-Allow-Origin` on playlists and media: `*`, one origin, or `nil` for no other site.
  package var allowedOrigin: String? = "*"
  /// The sites that can show the pages in a frame: a source list of `frame-ancestors` (CSP 3, section 6.4.2).
  package var frameAncestors = "*"
  /// What the site is called; `nil` if it is not set.
  package var title: String?
  /// The absolute address at which visitors see the public door, with a slash at its end; `nil` to take
  /// it from the request.
  package var baseURL: String?
  /// The file with the pages' icon: SVG, PNG or ICO; `nil` for the program's own.
  package var iconFile: String?
  /// The camera that the sample page shows; `nil` where there is no sample page.
  package var sampleCamera: CameraName?

  /// Every site can do both.
  package init() {}

  /// No other site may load anything.
  static let none = {
    var policy = SitePolicy()
    policy.allowedOrigin = nil
    return policy
  }()

  /// The site's name for other sites.
  var shownTitle: String { title ?? "Quietcam" }

  /// Whether any other site may show the pages in a frame.
  var mayBeFramed: Bool { frameAncestors != "'none'" && frameAncestors != "'self'" }

  /// The policy of a page: only its own scripts and pictures.
  var contentSecurity: String {
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
      + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors \(frameAncestors)"
  }

  /// What a script of another site may read of an answer besides what every one may (Fetch, section 3.3.5): players set
  /// their clock by the first two, and the others lead on from one segment to the next.
  private static let exposed = "Date, Age, Content-Range, Content-Length, Link, Program-Date-Time"
  /// How long a browser need not ask again whether it may: the longest that browsers keep to is less.
  private static let secondsOfPreflight = 86_400
  private static let mostRequestedHeaders = 1024

  /// Puts what other sites may do on an answer that is meant for them too, which is one that allows any origin.
  func mark(_ fields: inout HTTPFields) {
    guard fields[.accessControlAllowOrigin] != nil else { return }
    fields[.accessControlAllowOrigin] = allowedOrigin
    guard allowedOrigin != nil else { return }
    fields[.accessControlExposeHeaders] = Self.exposed
    // A page that isolates itself shows only what says that it may be shown (Fetch, section 3.7).
    fields[.crossOriginResourcePolicy] = "cross-origin"
  }

  /// The answer to OPTIONS at an address that takes these methods: to a browser's question before another site's
  /// request (a preflight, Fetch, section 4.8), and to whoever asks what is possible (RFC 9110, section 9.3.7).
  func options(_ request: Request, methods: [HTTPRequest.Method]) -> Response {
    let allowed = (methods + [.options]).map(\.rawValue).joined(separator: ", ")
    var response = Response(status: .noContent, headers: [.allow: allowed, .cacheControl: "no-store"])
    response.headers[.accessControlAllowOrigin] = "*"
    guard allowedOrigin != nil, request.headers[.origin] != nil, request.headers[.accessControlRequestMethod] != nil
    else { return response }
    response.headers[.accessControlAllowMethods] = methods.map(\.rawValue).joined(separator: ", ")
    response.headers[.accessControlMaxAge] = "\(Self.secondsOfPreflight)"
    // No header of a request changes what is sent in a way that could harm the one who sends it.
    let wanted = request.headers[values: .accessControlRequestHeaders].joined(separator: ",")
    if !wanted.isEmpty, wanted.utf8.count <= Self.mostRequestedHeaders, wanted.utf8.allSatisfy(Self.isListOfNames) {
      response.headers[.accessControlAllowHeaders] = wanted
    }
    response.headers[.vary] = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    return response
  }

  private static func isListOfNames(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte | 32) || "!#$%&'*+-.^_`|~, ".utf8.contains(byte)
  }
}

extension HTTPField.Name {
  static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
}
