import Foundation
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station

/// The pages and the files that they load: read once, gzipped once, served from memory.
package struct WebAssets: Sendable {
  private struct Asset: Sendable {
    let text: EncodedText
    let type: String
    let caching: Reply.Caching
  }

  private let assets: [String: Asset]
  let playerTemplate: String
  let listTemplate: String
  /// Whether the player library is there; without it browsers play by their own HLS, far behind, or see pictures.
  package let hasPlayerLibrary: Bool

  /// The assets that were built with the program.
  package static func bundled() throws -> WebAssets {
    try WebAssets(folder: Bundle.module.bundleURL.appending(path: "Web"))
  }

  /// The assets of a folder.
  ///
  /// - Throws: the file system's error for a page that is missing.
  init(folder: URL) throws {
    func text(_ name: String) throws -> String { try String(contentsOf: folder.appending(path: name), encoding: .utf8) }
    playerTemplate = try text("player.html")
    listTemplate = try text("cameras.html")
    var assets: [String: Asset] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      guard let type = Self.types[name.split(separator: ".").last ?? ""] else { continue }
      let bytes = ByteBuffer(string: try text(name))
      // The library has its version in its name; our own files keep their names and change with the program.
      assets[name] = Asset(
        text: EncodedText(bytes, etag: bytes.fingerprint), type: type,
        caching: name.hasPrefix("hls-") ? .forever : .revalidate)
    }
    self.assets = assets
    hasPlayerLibrary = assets.keys.contains { $0.hasPrefix("hls-") }
  }

  private static let types: [Substring: String] = [
    "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "mjs": "text/javascript; charset=utf-8",
  ]

  /// A file that pages load; `nil` where there is none of this name.
  func asset(_ request: Request, named name: String) -> Response? {
    assets[name].map { Reply.text(request, $0.text, type: $0.type, caching: $0.caching) }
  }
}
