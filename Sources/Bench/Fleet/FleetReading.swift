/// What the server says of its cameras at one moment, out of `/status`.
struct FleetReading: Sendable, Decodable {
  /// How far the server is stepped down.
  struct Load: Sendable, Decodable {
    let level: Int
    let lowest: Int
    let settings: String
  }

  private struct Camera: Sendable, Decodable {
    struct Stills: Sendable, Decodable {
      let taken: Int
      let shown: Int
      let displaced: Int
    }

    struct Parts: Sendable, Decodable {
      let count: Int
      let bytes: Int
    }

    let stills: Stills
    let parts: Parts
  }

  private let cameras: [Camera]
  /// `nil` where the server does not tell.
  let load: Load?

  /// Sums of all cameras.
  var taken: Int { cameras.reduce(0) { $0 + $1.stills.taken } }
  var shown: Int { cameras.reduce(0) { $0 + $1.stills.shown } }
  var parts: Int { cameras.reduce(0) { $0 + $1.parts.count } }
  var partBytes: Int { cameras.reduce(0) { $0 + $1.parts.bytes } }
}
