import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station

/// The HTML of the public door, made of the templates once for the cameras there are.
struct Pages: Sendable {
  private let home: EncodedText
  private let players: [CameraName: EncodedText]
  private let fields: HTTPFields

  /// The pages for these cameras: with a single one its player is the home page too.
  ///
  /// - Parameter hidden: those of them that need a link, and that no page tells of.
  init(_ web: WebAssets, cameras: [CameraName], hidden: Set<CameraName>, site: SitePolicy) {
    fields = [
      .contentSecurityPolicy: site.contentSecurity, .xContentTypeOptions: "nosniff",
      // A link stands in the address, and is nobody else's business.
      .referrerPolicy: "no-referrer",
      .permissionsPolicy: "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ]
    players = Dictionary(
      uniqueKeysWithValues: cameras.map {
        ($0, Self.player(web, camera: $0, base: "./", root: hidden.contains($0) ? "../../" : "../"))
      })
    let cameras = cameras.filter { !hidden.contains($0) }
    if let only = cameras.first, cameras.count == 1, hidden.isEmpty {
      home = Self.player(web, camera: only, base: "\(only)/", root: "")
    } else {
      let items = cameras.map { name in
        "<li><a href=\"\(name)/\"><img src=\"\(name)/latest.jpg\" alt=\"\">\(name)</a></li>"
      }
      home = Self.rendition(web.listTemplate.replacing("{{cameras}}", with: items.joined()))
    }
  }

  /// The home page.
  func home(_ request: Request) -> Response { html(request, home) }

  /// A camera's player page; `nil` where there is no such camera.
  func player(_ request: Request, camera: CameraName) -> Response? { players[camera].map { html(request, $0) } }

  /// - Parameters:
  ///   - base: where the camera's folder is, seen from the page.
  ///   - root: where the home page is, seen from the page.
  private static func player(_ web: WebAssets, camera: CameraName, base: String, root: String) -> EncodedText {
    rendition(
      web.playerTemplate.replacing("{{name}}", with: camera.text).replacing("{{base}}", with: base)
        .replacing("{{assets}}", with: root + "_/"))
  }

  private static func rendition(_ page: String) -> EncodedText {
    let bytes = ByteBuffer(string: page)
    return EncodedText(bytes, etag: bytes.fingerprint)
  }

  private func html(_ request: Request, _ page: EncodedText) -> Response {
    var response = Reply.text(request, page, type: "text/html; charset=utf-8", caching: .revalidate)
    for field in fields { response.headers[field.name] = field.value }
    return response
  }
}

extension HTTPField.Name {
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
}
