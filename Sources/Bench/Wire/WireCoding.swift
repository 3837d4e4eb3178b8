import NIOCore

/// How a body is compressed (RFC 9110, section 8.4.1).
enum WireCoding: Hashable, Sendable {
  case none, gzip, brotli
  /// One that was not offered, by its name.
  case other(String)

  /// The coding with this name in small letters; an empty one is none.
  init(_ name: String) {
    switch name {
    case "", "identity": self = .none
    case "gzip": self = .gzip
    case "br": self = .brotli
    default: self = .other(name)
    }
  }

  /// The name.
  var name: String {
    switch self {
    case .none: "identity"
    case .gzip: "gzip"
    case .brotli: "br"
    case .other(let name): name
    }
  }

  /// What was compressed; `nil` if the body is damaged or the coding is unknown.
  func content(of body: ByteBuffer) -> ByteBuffer? {
    switch self {
    case .none: body
    case .gzip: body.gunzipped()
    case .brotli: body.unbrotlied()
    case .other: nil
    }
  }
}
