import Access

/// What the reports tell of both doors, read at one moment.
struct DoorReport: Sendable {
  let viewers: (open: Int64, turnedAway: Int64)
  let cameras: (open: Int64, turnedAway: Int64)
  let uploads: (held: Int64, peak: Int64, refused: Int64)
  let tokens: WrongTokens.Counters

  init(_ limits: AccessLimits) {
    let (viewers, cameras, uploads) = (limits.viewers.counted, limits.cameras.counted, limits.uploads.counted)
    self.viewers = (Int64(viewers.open), viewers.turnedAway)
    self.cameras = (Int64(cameras.open), cameras.turnedAway)
    self.uploads = (Int64(uploads.held), Int64(uploads.peak), uploads.refused)
    tokens = limits.withTokens { $0.counted() }
  }

  /// All of it as JSON.
  var json: String {
    let addresses = tokens.addresses.map { "{\"address\":\"\($0.address)\",\"wrong\":\($0.wrong)}" }
    return "{\"public\":{\"connections\":\(viewers.open),\"turnedAway\":\(viewers.turnedAway)}"
      + ",\"private\":{\"connections\":\(cameras.open),\"turnedAway\":\(cameras.turnedAway)}"
      + ",\"uploads\":{\"bytes\":\(uploads.held),\"mostBytes\":\(uploads.peak),\"withoutRoom\":\(uploads.refused)}"
      + ",\"wrongTokens\":{\"lookedAt\":\(tokens.wrong),\"slowed\":\(tokens.slowed)"
      + ",\"addresses\":[\(addresses.joined(separator: ","))]}}"
  }
}
