import Crypto
import Foundation
import HTTPTypes
import NIOCore

/// A text that a browser keeps in order to get later ones compressed with it (RFC 9842).
struct WireDictionary: Sendable {
  /// The request field that names one.
  static let field = "Available-Dictionary"
  /// What precedes a `dcz` body, before the digest (section 5).
  private static let mark: [UInt8] = [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0]

  /// The value of the request field.
  let name: String
  private let bytes: ByteBuffer
  private let prefix: ByteBuffer

  /// The dictionary with these bytes.
  init(_ bytes: ByteBuffer) {
    self.bytes = bytes
    let digest = bytes.withUnsafeReadableBytes { SHA256.hash(data: $0) }
    name = ":\(Data(digest).base64EncodedString()):"
    prefix = ByteBuffer(bytes: Self.mark + digest)
  }

  /// What a `dcz` body has; `nil` if it was made with another dictionary or is damaged.
  func content(of body: ByteBuffer) -> ByteBuffer? {
    var body = body
    guard body.readSlice(length: prefix.readableBytes) == prefix else { return nil }
    return body.unzstandard(dictionary: bytes)
  }
}

/// The dictionaries that a browser keeps for one site: the last two texts of each pattern.
struct BrowserDictionaries: Sendable {
  /// Chromium 156 has a text as a dictionary only a while after the answer: for a request that is made at once it names
  /// the text before (measured with pauses of 0 and 300 ms).
  private static let delay = Duration.milliseconds(100)

  private struct Entry {
    let dictionary: WireDictionary
    let from: ContinuousClock.Instant
  }

  /// By the path that the pattern matches, the newest first.
  private var entries: [String: [Entry]] = [:]

  /// The dictionary that a request for a path names.
  func newest(for path: String, at now: ContinuousClock.Instant) -> WireDictionary? {
    entries[Self.folded(path)]?.first { $0.from <= now }?.dictionary
  }

  /// Takes an answer's text, if the answer says that it is a dictionary. Patterns are understood if they are a name.
  mutating func take(_ path: String, _ answer: WireAnswer, body: ByteBuffer) {
    guard let value = HTTPField.Name("Use-As-Dictionary").flatMap({ answer.fields[$0] }) else { return }
    let pieces = value.split(separator: "\"", omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[0] == "match=", !pieces[1].contains(where: { "*:(){}?\\".contains($0) }) else {
      return
    }
    let place = resolve(String(pieces[1]), from: path)
    let entry = Entry(dictionary: WireDictionary(body), from: answer.ended + Self.delay)
    entries[place] = Array(([entry] + (entries[place] ?? [])).prefix(2))
  }

  private static func folded(_ path: String) -> String { String(path.prefix { $0 != "?" }) }
}
