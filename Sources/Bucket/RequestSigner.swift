import Crypto
import Media

/// Signs requests with AWS Signature Version 4, the whole body in one piece (Amazon S3 API Reference, "Signature
/// Calculations for the Authorization Header: Transferring Payload in a Single Chunk").
package struct RequestSigner: Sendable {
  /// What is signed of a request.
  package struct Request: Sendable {
    /// `GET`, `PUT` or `DELETE`.
    package var method: String
    /// The path, encoded as it is sent.
    package var path: String
    /// Names and values of the query, not encoded.
    package var query: [(name: String, value: String)]
    /// Fields that are signed; `host` is one of them.
    package var fields: [(name: String, value: String)]
    /// The SHA-256 of the body in hexadecimal digits.
    package var bodyHash: String

    /// A request of these parts.
    package init(
      method: String, path: String, query: [(name: String, value: String)] = [],
      fields: [(name: String, value: String)], bodyHash: String
    ) {
      (self.method, self.path, self.query) = (method, path, query)
      (self.fields, self.bodyHash) = (fields, bodyHash)
    }
  }

  private static let algorithm = "AWS4-HMAC-SHA256"
  private let key: AccessKey
  private let region: String
  private let service: String

  /// A signer for a region.
  package init(key: AccessKey, region: String, service: String = "s3") {
    (self.key, self.region, self.service) = (key, region, service)
  }

  /// The value of `Authorization`.
  ///
  /// - Parameter time: as in the field `x-amz-date`, `20130524T000000Z`.
  package func authorization(_ request: Request, time: String) -> String {
    let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
    let text = "\(Self.algorithm)\n\(time)\n\(scope)\n\(Self.hash(Array(Self.canonical(request).utf8)))"
    let signature = Self.hex(Self.code(Array(text.utf8), key: signingKey(day: time.prefix(8))))
    let names = Self.canonicalFields(request.fields).map(\.name).joined(separator: ";")
    return "\(Self.algorithm) Credential=\(key.id)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
  }

  private func signingKey(day: some StringProtocol) -> SymmetricKey {
    var code = SymmetricKey(data: Array("AWS4\(key.secret)".utf8))
    for step in [String(day), region, service, "aws4_request"] {
      code = SymmetricKey(data: Self.code(Array(step.utf8), key: code))
    }
    return code
  }

  // MARK: The canonical form

  /// The request in its canonical form.
  static func canonical(_ request: Request) -> String {
    let fields = canonicalFields(request.fields)
    return [
      request.method, request.path.isEmpty ? "/" : request.path, canonicalQuery(request.query),
      fields.map { "\($0.name):\($0.value)\n" }.joined(), fields.map(\.name).joined(separator: ";"), request.bodyHash,
    ].joined(separator: "\n")
  }

  /// The query as it is signed and sent: encoded, in the order of the encoded names, then of the encoded values.
  package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
    query.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }.map { "\($0)=\($1)" }
      .joined(separator: "&")
  }

  /// Small names in their order; values without white space around them and with single spaces; those of one name
  /// together.
  private static func canonicalFields(_ fields: [(name: String, value: String)]) -> [(name: String, value: String)] {
    var values: [String: [String]] = [:]
    for field in fields {
      let words = field.value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline })
      values[field.name.lowercased(), default: []].append(words.joined(separator: " "))
    }
    return values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      .map { ($0, values[$0, default: []].joined(separator: ",")) }
  }

  /// A text with all bytes but letters, digits and `-_.~` as `%XX`.
  package static func encoded(_ text: String, keepsSlashes: Bool = false) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "/") where keepsSlashes: result += "/"
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }

  // MARK: Codes

  /// The SHA-256 of these bytes in hexadecimal digits.
  package static func hash(_ bytes: some Sequence<UInt8>) -> String { hex(SHA256.hash(data: Array(bytes))) }

  private static func code(_ bytes: [UInt8], key: SymmetricKey) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
  }

  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes {
      let digits = String(byte, radix: 16)
      text += digits.utf8.count == 1 ? "0\(digits)" : digits
    }
    return text
  }

  /// A moment as `x-amz-date` has it: `20130524T000000Z`.
  package static func time(_ moment: WallTime) -> String {
    // Of `2013-05-24T00:00:00.000Z`.
    String(moment.iso8601.dropLast(5).filter { $0 != "-" && $0 != ":" }) + "Z"
  }
}
