import Foundation
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station
import WebFiles

/// The pages and the files that they load: read once, compressed once, served from memory.
package struct WebAssets: Sendable {
  private struct Asset: Sendable {
    let text: EncodedText
    let type: String
    let caching: Reply.Caching
  }

  private let assets: [String: Asset]
  let playerTemplate: String
  let listTemplate: String
  /// The page that shows how a picture is embedded.
  let sampleTemplate: String
  /// The operator's page.
  let operatorPage: EncodedText
  /// The icon's name at the root of the site, and its type.
  private(set) var icon: (name: String, type: String) = ("favicon.svg", "image/svg+xml")
  private var iconAsset: (bytes: ByteBuffer, etag: String)
  /// Whether the player library is there; without it browsers use their own HLS, far behind, or show pictures.
  package let hasPlayerLibrary: Bool

  /// The assets that were built into the program.
  package static func bundled() throws -> WebAssets {
    try WebAssets(files: WebFiles.of("Origin"))
  }

  /// The assets that are made of these files.
  ///
  /// - Throws: which page is missing.
  init(files: [String: ByteBuffer]) throws {
    func text(_ name: String) throws -> String {
      guard let bytes = files[name] else { throw MissingWebFile(name) }
      return String(buffer: bytes)
    }
    playerTemplate = try text("player.html")
    listTemplate = try text("cameras.html")
    sampleTemplate = try text("sample.html")
    let page = ByteBuffer(string: try text("operator.html"))
    operatorPage = EncodedText(page, etag: page.fingerprint, quality: .small)
    var assets: [String: Asset] = [:]
    for name in files.keys {
      guard let type = Self.types[name.split(separator: ".").last ?? ""] else { continue }
      let bytes = ByteBuffer(
        string: name.hasSuffix(".js") ? ScriptText.withoutCommentLines(try text(name)) : try text(name))
      // The library's name contains its version; our own files keep their names and change with the program.
      assets[name] = Asset(
        // The library would take two seconds, so its brotli form is among the files.
        text: EncodedText(
          bytes, etag: bytes.fingerprint, quality: bytes.readableBytes < Self.longText ? .small : .quick,
          brotlied: files["\(name).br"]), type: type,
        caching: name.hasPrefix("hls-") ? .forever : .revalidate)
    }
    self.assets = assets
    let icon = ByteBuffer(string: try text("icon.svg"))
    iconAsset = (icon, "\"\(icon.fingerprint)\"")
    hasPlayerLibrary = assets.keys.contains { $0.hasPrefix("hls-") }
  }

  /// From so many bytes on, nobody waits for the smallest form.
  private static let longText = 65_536
  /// The most bytes of an icon.
  private static let mostIconBytes = 1 << 20

  /// Reads the pages' icon from a file.
  ///
  /// - Throws: `IconError` if it cannot be read or has a type that browsers do not show.
  package mutating func takeIcon(from path: String) throws(IconError) {
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard let type = ["svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon"][ending] else {
      throw IconError("favicon: found \"\(path)\"; accepted: a file that ends in .svg, .png or .ico")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw IconError("favicon: \"\(path)\" cannot be read; give the path of a file that this user may read")
    }
    guard !data.isEmpty, data.count <= Self.mostIconBytes else {
      throw IconError("favicon: \"\(path)\" has \(data.count) bytes; accepted: 1 to \(Self.mostIconBytes)")
    }
    let bytes = ByteBuffer(bytes: data)
    icon = ("favicon.\(ending)", type)
    iconAsset = (bytes, "\"\(bytes.fingerprint)\"")
  }

  /// The icon with its own name; `nil` for any other name.
  func icon(_ request: Request, named name: String) -> Response? {
    guard name == icon.name else { return nil }
    var response = Reply.resource(
      request, bytes: iconAsset.bytes, type: icon.type, etag: iconAsset.etag, caching: .seconds(86_400))
    // If an operator's drawing is opened as a page, scripts in it must not run.
    response.headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }

  /// The script that other sites load, at the root of the site; `nil` if it was not built in.
  func element(_ request: Request) -> Response? {
    guard var response = served(request, Self.elementName) else { return nil }
    response.headers[.timingAllowOrigin] = "*"
    return response
  }

  private static let elementName = "quietcam.js"

  private static let types: [Substring: String] = [
    "svg": "image/svg+xml", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
  ]

  /// A file of the pages; `nil` if there is none with this name.
  func asset(_ request: Request, named name: String) -> Response? {
    // Its imports are only beside it when it is served at the root.
    name == Self.elementName ? nil : served(request, name)
  }

  private func served(_ request: Request, _ name: String) -> Response? {
    guard let asset = assets[name] else { return nil }
    var response = Reply.text(request, asset.text, type: asset.type, caching: asset.caching)
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }
}

/// Why an icon is not accepted, as one sentence.
package struct IconError: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

extension HTTPField.Name {
  static let timingAllowOrigin = HTTPField.Name("Timing-Allow-Origin")!
}
