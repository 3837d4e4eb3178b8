import Media

/// Counts wrong tokens by address and slows down the addresses that send them.
///
/// An address can send a few wrong tokens at once and then one a second; beyond that its tokens are not checked. The
/// token of a camera that was accepted from the address within the last hour is checked all the same, so that somebody
/// who guesses tokens from behind the same router or proxy locks nobody out. The table has a fixed size.
package struct WrongTokens: Sendable {
  /// What was counted since the process started.
  package struct Counters: Sendable {
    /// Wrong tokens that were checked.
    package var wrong: Int64 = 0
    /// Requests that were refused without a check.
    package var slowed: Int64 = 0
    /// Addresses with the most wrong tokens, of those that are in the table.
    package var addresses: [(address: String, wrong: Int64)] = []
  }

  /// How many wrong tokens an address can send at once.
  package static let burst = 10
  /// How long a camera counts as known at an address, in milliseconds.
  static let memory: Int64 = 3_600_000

  private struct Entry {
    var bucket: TokenBucket
    var wrong: Int64 = 0
    var known: [CameraName: Int64] = [:]
  }

  private var entries: [String: Entry] = [:]
  private var counters = Counters()
  private var nextSweep: Int64 = .min
  private let mostAddresses: Int
  /// The shared entry of all addresses that find no room in the table.
  private static let others = "others"

  /// - Parameter mostAddresses: how many addresses have an entry of their own.
  package init(mostAddresses: Int = 4096) { self.mostAddresses = mostAddresses }

  /// Whether the token that an address sends for a camera, or as the operator, is checked.
  ///
  /// - Parameter now: milliseconds of a clock that does not step back.
  package mutating func isHeard(_ address: String, for camera: CameraName?, now: Int64) -> Bool {
    let key = entries[address] == nil && entries.count >= mostAddresses ? Self.others : address
    guard var entry = entries[key] else { return true }
    let isEmpty = entry.bucket.isEmpty(now: now)
    let isKnown = camera.flatMap { entry.known[$0] }.map { now - $0 < Self.memory } ?? false
    entries[key] = entry
    if isEmpty, !isKnown { counters.slowed += 1 }
    return !isEmpty || isKnown
  }

  /// Remembers that a token was wrong.
  package mutating func wrong(_ address: String, now: Int64) {
    counters.wrong += 1
    let key = place(for: address, now: now)
    var entry = entries[key] ?? Entry(bucket: TokenBucket(rate: 1, burst: Self.burst, now: now))
    _ = entry.bucket.take(now: now)
    entry.wrong += 1
    entries[key] = entry
  }

  /// Remembers that a camera sent its token.
  package mutating func right(_ address: String, for camera: CameraName, now: Int64) {
    let key = place(for: address, now: now)
    // The shared entry makes no address known.
    guard key != Self.others else { return }
    if let time = entries[key]?.known[camera], now - time < Self.memory / 10 { return }
    entries[key, default: Entry(bucket: TokenBucket(rate: 1, burst: Self.burst, now: now))].known[camera] = now
  }

  /// The counts, with this many addresses.
  package func counted(most: Int = 20) -> Counters {
    var counters = counters
    counters.addresses = entries.lazy.filter { $0.value.wrong > 0 }.map { ($0.key, $0.value.wrong) }
      .sorted { ($0.1, $1.0) > ($1.1, $0.0) }.prefix(most).map { $0 }
    return counters
  }

  private mutating func place(for address: String, now: Int64) -> String {
    if entries[address] != nil || entries.count < mostAddresses { return address }
    guard now >= nextSweep else { return Self.others }
    nextSweep = now + 1000
    var idle: [String] = []
    for (key, entry) in entries {
      var bucket = entry.bucket
      let isKnown = entry.known.values.contains { now - $0 < Self.memory }
      if key != Self.others, !isKnown, bucket.isFull(now: now) { idle.append(key) }
    }
    for key in idle { entries[key] = nil }
    return entries.count < mostAddresses ? address : Self.others
  }
}
