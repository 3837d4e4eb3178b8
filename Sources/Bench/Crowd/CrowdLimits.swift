import Media

/// What gave first when a crowd was too large: each limit with the time at which it was first seen.
struct CrowdLimits: Hashable, Sendable {
  /// A limit, as a part of a sentence.
  struct Limit: Hashable, Sendable {
    let words: String
    let after: Duration
  }

  /// More than this of all processors is all of them, in thousandths.
  private static let full = 950

  /// In the order of time.
  private(set) var reached: [Limit] = []
  private var kinds: Set<String> = []

  /// Nothing seen yet.
  init() {}

  /// Takes what was seen so far, about once a second.
  mutating func note(_ tally: CrowdTally, refusedConnections: Int, load: CrowdLoad.Share?, after time: Duration) {
    if refusedConnections > 0 { add("connections were refused", time) }
    for status in tally.refused.keys.sorted() {
      add(
        status == 503
          ? "the server had no place for more (503; see public-connections and the limit of open files)"
          : "requests were answered with status \(status)", time)
    }
    if let mistake = tally.mistakes.keys.min() { add(mistake, time, kind: "mistake") }
    if let load, let server = load.server, server + load.bench > Self.full {
      add(
        "all processors were busy: the server had \(server / 10) %, this bench \(load.bench / 10) %", time, kind: "load"
      )
    }
  }

  /// Adds what was not seen before.
  private mutating func add(_ words: String, _ time: Duration, kind: String? = nil) {
    if kinds.insert(kind ?? words).inserted { reached.append(Limit(words: words, after: time)) }
  }
}
