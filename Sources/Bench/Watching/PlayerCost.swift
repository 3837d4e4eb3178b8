import Foundation
import NIOCore

/// What a visitor with an empty cache loads once before the first picture: the page, its style, its script, and the
/// player library. Counted at the socket like everything else.
struct PlayerCost {
  /// Loads Quietcam's page of a camera as a browser does.
  ///
  /// - Returns: the bytes, both ways.
  /// - Throws: `WireError`.
  static func measure(_ tab: Tab, page: String) async throws -> WireBytes {
    let html = try await tab.load(page, .media, by: .navigation)
    var waiting = addresses(in: String(buffer: html.body), after: ["href=\"", "src=\""])
      .filter { !$0.hasPrefix("data:") && ($0.hasSuffix(".css") || $0.hasSuffix("js")) }
      .map { resolve($0, from: page) }
    var seen: Set<String> = []
    while let path = waiting.popLast() {
      guard seen.insert(path).inserted else { continue }
      let file = try await tab.load(path, .media, by: path.hasSuffix(".css") ? .style : .module)
      guard path.hasSuffix("js"), file.body.readableBytes < 100_000 else { continue }
      waiting += addresses(in: String(buffer: file.body), after: ["import(\"", "from \""]).map { uri in
        resolve(uri, from: path)
      }
    }
    return tab.client.tally.bytes
  }

  private static func addresses(in text: String, after openings: [String]) -> [String] {
    openings.flatMap { opening in
      text.components(separatedBy: opening).dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }
  }
}
