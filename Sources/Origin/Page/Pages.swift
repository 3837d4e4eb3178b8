import HTTPTypes
import Hummingbird
import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import Picture
import Station

/// The HTML of the public listener, made from the templates and the cameras.
///
/// All addresses in a page are relative to it, so that it works below a prefix that a proxy removes. Only the addresses
/// for other sites, in the page's head, are absolute.
struct Pages: Sendable {
  /// A page.
  enum Page: Hashable, Sendable {
    /// The page of the only camera, or the list of all.
    case home
    /// A camera's page.
    case camera(CameraName)
    /// A home page that shows how a picture is embedded.
    case sample
  }

  /// A template that is complete except for its head.
  private struct Draft: Sendable {
    let html: String
    let title: String
    /// The address of the home page, relative to the page.
    let root: String
    /// The address after the site's root, and the folder of the camera that represents it; `nil` for a page that is not
    /// public.
    let linkPreview: (path: String, camera: String, size: PictureSize?)?
  }

  private struct Key: Hashable {
    let page: Page
    let root: String?
    let stamp: Int64
  }

  /// How many versions are kept: visitors use few names of the same site.
  private static let mostKept = 64

  private let drafts: [Page: Draft]
  private let cameras: [CameraName: CameraSettings]
  private let hidden: Set<CameraName>
  private let site: SitePolicy
  private let icon: (name: String, type: String)
  private let fields: HTTPFields
  private let kept = Kept()

  private final class Kept: Sendable {
    let encoded = NIOLockedValueBox<[Key: EncodedText]>([:])
  }

  /// The pages for these cameras: with a single one, its page is the home page too.
  ///
  /// - Parameter hidden: those of them that need a link and that no page mentions.
  init(_ web: WebAssets, cameras: [CameraSettings], hidden: Set<CameraName>, site: SitePolicy) {
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.name, $0) })
    self.hidden = hidden
    self.site = site
    icon = web.icon
    fields = [
      .contentSecurityPolicy: site.contentSecurity, .xContentTypeOptions: "nosniff",
      // A link is in the address, which no other site should see.
      .referrerPolicy: "no-referrer",
      .permissionsPolicy: "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
      // A page loads only its own files, so pages that must not load anything else can frame it.
      .crossOriginEmbedderPolicy: "require-corp", .crossOriginResourcePolicy: "cross-origin",
    ]
    var drafts: [Page: Draft] = [:]
    for camera in cameras {
      let isHidden = hidden.contains(camera.name)
      drafts[.camera(camera.name)] = Self.draft(
        web.playerTemplate, camera, base: "./", root: isHidden ? "../../" : "../",
        linkPreview: isHidden ? nil : ("\(camera.name)/", "\(camera.name)/", camera.shownSize))
    }
    let shown = cameras.filter { !hidden.contains($0.name) }
    if let only = shown.first, shown.count == 1, hidden.isEmpty {
      drafts[.home] = Self.draft(
        web.playerTemplate, only, base: "\(only.name)/", root: "", linkPreview: ("", "\(only.name)/", only.shownSize))
    } else {
      let title = site.title ?? "Cameras"
      let list = web.listTemplate.repeating { item in
        shown.map { Self.filled(item, $0, base: "\($0.name)/", root: "") }.joined()
      }
      drafts[.home] = Draft(
        html: Self.filled(list, ["title": title, "root": "", "assets": "_/"]), title: title, root: "",
        linkPreview: shown.first.map { ("", "\($0.name)/", $0.shownSize) })
    }
    if let name = site.sampleCamera, let camera = shown.first(where: { $0.name == name }) {
      drafts[.sample] = Self.draft(
        web.sampleTemplate, camera, base: "../\(name)/", root: "../",
        linkPreview: ("sample/", "\(name)/", camera.shownSize)
      )
    }
    self.drafts = drafts
  }

  private static func draft(
    _ template: String, _ camera: CameraSettings, base: String, root: String,
    linkPreview: (path: String, camera: String, size: PictureSize?)?
  ) -> Draft {
    Draft(
      html: filled(template, camera, base: base, root: root), title: camera.shownTitle, root: root,
      linkPreview: linkPreview)
  }

  /// - Parameters:
  ///   - base: the address of the camera's folder, relative to the page.
  ///   - root: the address of the home page, relative to the page.
  private static func filled(_ template: String, _ camera: CameraSettings, base: String, root: String) -> String {
    let size = camera.picture.size
    return filled(
      template,
      [
        "title": camera.shownTitle, "name": camera.name.text, "base": base, "root": root, "assets": root + "_/",
        "width": "\(size.width)", "height": "\(size.height)",
      ])
  }

  private static func filled(_ template: String, _ values: [String: String]) -> String {
    values.reduce(template) { $0.replacing("{{\($1.key)}}", with: $1.value.htmlEscaped) }
  }

  /// The answer with a page; `nil` if there is none.
  ///
  /// - Parameter root: the site's absolute address.
  func answer(_ request: Request, _ page: Page, root: String?) -> Response? {
    guard let draft = drafts[page] else { return nil }
    let key = Key(page: page, root: draft.linkPreview == nil ? nil : root, stamp: PageHead.stamp(.now))
    let known = kept.encoded.withLockedValue { $0[key] }
    let encoded = known ?? render(draft, key)
    if known == nil {
      kept.encoded.withLockedValue { pages in
        // Pages with earlier pictures are no longer needed, and clients that use ever new names get no more memory than
        // this.
        if pages.count >= Self.mostKept { pages = pages.filter { $0.key.stamp == key.stamp } }
        if pages.count < Self.mostKept { pages[key] = encoded }
      }
    }
    var response = Reply.text(request, encoded, type: "text/html; charset=utf-8", caching: .revalidate)
    for field in fields { response.headers[field.name] = field.value }
    return response
  }

  private func render(_ draft: Draft, _ key: Key) -> EncodedText {
    let head = PageHead(
      title: draft.title, siteName: site.shownTitle, icon: (draft.root + icon.name, icon.type))
    var lines = head.plain
    if let linkPreview = draft.linkPreview, let root = key.root {
      lines = head.lines(
        root: root, path: linkPreview.path, camera: linkPreview.camera, size: linkPreview.size,
        offersFrame: site.mayBeFramed && key.page != .sample,
        now: WallTime(milliseconds: key.stamp * 1000))
    }
    let bytes = ByteBuffer(string: draft.html.replacing("{{head}}", with: lines))
    return EncodedText(bytes, etag: bytes.fingerprint)
  }

  /// How to embed a page with this absolute address; `nil` if there is none.
  func embedding(of address: String, root: String, maxWidth: Int?, maxHeight: Int?) -> OEmbed? {
    guard site.mayBeFramed, let address = Self.withoutQuery(address),
      // Visitors may use HTTP and be redirected.
      let path = Self.path(of: address, below: root)
    else { return nil }
    let name: CameraName?
    switch PublicRoute(path: "/" + path) {
    case .home: name = cameras.count == 1 ? cameras.keys.first : nil
    case .page(let camera), .withoutSlash(let camera): name = camera
    default: name = nil
    }
    guard let name, let camera = cameras[name], !hidden.contains(name) else { return nil }
    let page = path.isEmpty ? root : "\(root)\(name)/"
    let picture = "\(root)\(name)/latest.jpg?t=\(PageHead.stamp(.now))"
    return OEmbed(
      title: camera.shownTitle, provider: (site.shownTitle, root), page: page,
      thumbnail: camera.shownSize.map { (picture, $0) }, size: camera.picture.size)
  }

  private static func withoutQuery(_ address: String) -> Substring? {
    address.utf8.count <= 2000 ? address.prefix { $0 != "?" && $0 != "#" } : nil
  }

  private static func path(of address: Substring, below root: String) -> Substring? {
    guard let end = root.firstRange(of: "://")?.upperBound else { return nil }
    for scheme in ["https://", "http://"] {
      let root = scheme + root[end...]
      if address.hasPrefix(root) { return address.dropFirst(root.count) }
      if address + "/" == root { return "" }
    }
    return nil
  }
}

extension CameraSettings {
  /// The camera's name for people.
  var shownTitle: String { title ?? name.text }

  /// The size of `latest.jpg`, if it is always the same.
  var shownSize: PictureSize? { photoSize == nil ? picture.size : nil }
}

extension String {
  /// The template in which the text between its marks `<!--camera-->` and `<!--/camera-->` is repeated for each camera.
  fileprivate func repeating(_ items: (String) -> String) -> String {
    guard let begin = firstRange(of: "<!--camera-->"), let end = firstRange(of: "<!--/camera-->"),
      begin.upperBound <= end.lowerBound
    else { return self }
    return self[..<begin.lowerBound] + items(String(self[begin.upperBound..<end.lowerBound])) + self[end.upperBound...]
  }
}

extension HTTPField.Name {
  static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
  static let crossOriginEmbedderPolicy = HTTPField.Name("Cross-Origin-Embedder-Policy")!
}
