import NIOCore

/// How a body is compressed (RFC 9110, section 8.4.1).
enum WireCoding: Hashable, Sendable {
  case none, gzip, brotli
  /// Zstandard with a dictionary that the request named (RFC 9842, section 5).
  case dictionary
  /// One that was not offered, by its name.
  case other(String)

  /// The coding with this name in small letters; an empty one is none.
  init(_ name: String) {
    switch name {
    case "", "identity": self = .none
    case "gzip": self = .gzip
    case "br": self = .brotli
    case "dcz": self = .dictionary
    default: self = .other(name)
    }
  }

  /// The name.
  var name: String {
    switch self {
    case .none: "identity"
    case .gzip: "gzip"
    case .brotli: "br"
    case .dictionary: "dcz"
    case .other(let name): name
    }
  }

  /// What was compressed; `nil` if the body is damaged or the coding is unknown.
  ///
  /// - Parameter dictionary: what the request named.
  func content(of body: ByteBuffer, dictionary: WireDictionary? = nil) -> ByteBuffer? {
    switch self {
    case .none: body
    case .gzip: body.gunzipped()
    case .brotli: body.unbrotlied()
    case .dictionary: dictionary?.content(of: body)
    case .other: nil
    }
  }
}
