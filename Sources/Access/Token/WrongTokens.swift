/// Counts wrong tokens and signatures by address, and says which addresses send too many.
///
/// An address can send a few at once and then one a second. Only the answer to a wrong one depends on it: a right token
/// or signature is accepted whatever else comes from its address, so nobody is locked out by those who guess behind the
/// same router or proxy. The table has a fixed size.
package struct WrongTokens: Sendable {
  /// What was counted since the process started.
  package struct Counters: Sendable {
    /// Wrong tokens and signatures within the limit of their address.
    package var wrong: Int64 = 0
    /// Those beyond the limit.
    package var slowed: Int64 = 0
    /// Addresses with the most wrong tokens, of those that are in the table.
    package var addresses: [(address: String, wrong: Int64)] = []
  }

  /// How many wrong tokens an address can send at once.
  package static let burst = 10

  private struct Entry {
    var bucket: TokenBucket
    var wrong: Int64 = 0
  }

  private var entries: [String: Entry] = [:]
  private var counters = Counters()
  private var nextSweep: Int64 = .min
  private let mostAddresses: Int
  /// The shared entry of all addresses that find no room in the table.
  private static let others = "others"

  /// - Parameter mostAddresses: how many addresses have an entry of their own.
  package init(mostAddresses: Int = 4096) { self.mostAddresses = mostAddresses }

  /// Notes that a token or signature was wrong.
  ///
  /// - Parameter now: milliseconds of a clock that does not step back.
  /// - Returns: whether the address has sent no more than it can.
  package mutating func wrong(_ address: String, now: Int64) -> Bool {
    let key = place(for: address, now: now)
    var entry = entries[key] ?? Entry(bucket: TokenBucket(rate: 1, burst: Self.burst, now: now))
    let isWithin = entry.bucket.take(now: now)
    if isWithin { counters.wrong += 1 } else { counters.slowed += 1 }
    entry.wrong += 1
    entries[key] = entry
    return isWithin
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
      if key != Self.others, bucket.isFull(now: now) { idle.append(key) }
    }
    for key in idle { entries[key] = nil }
    return entries.count < mostAddresses ? address : Self.others
  }
}
