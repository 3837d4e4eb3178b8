import Access

/// What the reports say about both listeners, read at one moment; the properties are the names in `/status`.
struct DoorReport: Encodable {
  struct Side: Encodable {
    let connections: Int
    let turnedAway: Int64
    /// Requests whose head or framing could not be read.
    let unreadable: Int64
  }

  struct Uploads: Encodable {
    /// Memory of stills that are being received, now and at most since the process began.
    let bytes: Int
    let mostBytes: Int
    let withoutRoom: Int64
  }

  struct Tokens: Encodable {
    struct Address: Encodable {
      let address: String
      let wrong: Int64
    }

    let lookedAt: Int64
    let slowed: Int64
    let addresses: [Address]
  }

  let `public`: Side
  let `private`: Side
  let uploads: Uploads
  let wrongTokens: Tokens
  /// Waves that were refused because their visitor waves too often.
  let refusedWaves: Int64

  init(_ limits: AccessLimits) {
    let (viewers, cameras, uploads) = (limits.viewers.counted, limits.cameras.counted, limits.uploads.counted)
    let tokens = limits.withTokens { $0.counted() }
    `public` = Side(
      connections: viewers.open, turnedAway: viewers.turnedAway, unreadable: limits.unreadableAtPublic.count)
    `private` = Side(
      connections: cameras.open, turnedAway: cameras.turnedAway, unreadable: limits.unreadableAtPrivate.count)
    self.uploads = Uploads(bytes: uploads.held, mostBytes: uploads.peak, withoutRoom: uploads.refused)
    refusedWaves = limits.waves.refused
    wrongTokens = Tokens(
      lookedAt: tokens.wrong, slowed: tokens.slowed,
      addresses: tokens.addresses.map { Tokens.Address(address: $0.address, wrong: Int64($0.wrong)) })
  }
}
