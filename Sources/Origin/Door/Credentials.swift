import Access
import Foundation
import HTTPTypes

/// Finds the token in a request, in each of the ways that cameras use.
///
/// `Authorization: Bearer x`, `Authorization: x`, `Authorization: Basic` with the token as the password of any user,
/// `X-API-Key`, `APIKEY`, and `?token=`.
enum Credentials {
  /// The tokens of the request, in that order; empty if there is none.
  static func shown(_ fields: HTTPFields, query: Substring) -> [String] {
    var shown: [String] = []
    if let header = fields[.authorization], let token = token(authorization: header) { shown.append(token) }
    for name in [HTTPField.Name.apiKey, .xAPIKey] {
      if let value = fields[name], !value.isEmpty { shown.append(value) }
    }
    for parameter in query.split(separator: "&") where parameter.hasPrefix("token=") {
      let value = parameter.dropFirst("token=".count)
      shown.append(value.removingPercentEncoding ?? String(value))
      break
    }
    return shown
  }

  /// Whether one of the texts is one of the tokens; every pair is compared.
  static func opens(_ shown: [String], _ digests: [TokenDigest]) -> Bool {
    var opens = false
    for text in shown { for digest in digests where digest.matches(text) { opens = true } }
    return opens
  }

  private static func token(authorization header: String) -> String? {
    let pieces = header.split(separator: " ", maxSplits: 1)
    guard let first = pieces.first else { return nil }
    guard pieces.count == 2 else {
      // A scheme without a value is not a token.
      return ["bearer", "basic", "digest"].contains(first.lowercased()) ? nil : String(first)
    }
    let rest = pieces[1].drop { $0 == " " }
    switch first.lowercased() {
    case "bearer": return String(rest)
    case "basic":
      // Some cameras leave out the padding.
      let padding = String(repeating: "=", count: (4 - rest.utf8.count % 4) % 4)
      guard let bytes = Data(base64Encoded: rest + padding), let text = String(validating: bytes, as: UTF8.self),
        let colon = text.firstIndex(of: ":")
      else { return nil }
      return String(text[text.index(after: colon)...])
    default: return nil
    }
  }
}

extension HTTPField.Name {
  static let apiKey = HTTPField.Name("APIKEY")!
  static let xAPIKey = HTTPField.Name("X-API-Key")!
}
