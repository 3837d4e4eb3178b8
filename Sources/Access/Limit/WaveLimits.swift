import Crypto
import Media
import NIOConcurrencyHelpers

/// Limits how often one visitor can wave, without storing who it is.
///
/// A visitor is identified by a keyed hash of the address. The key is random, is only in memory and changes at midnight
/// (UTC), so that nothing that is stored leads back to an address. The table has a fixed size; visitors that find no
/// room in it share one entry.
package final class WaveLimits: Sendable {
  /// The result of a wave.
  package enum Verdict: Hashable, Sendable {
    /// It counts.
    case taken
    /// It does not count; the next one can in this many seconds, at least 1.
    case refused(seconds: Int)
  }

  /// How many waves a visitor can send at once.
  package static let burst = 5
  /// In how many seconds one of them is available again.
  package static let seconds: Int64 = 10
  /// How many times more visitors can send who cannot be distinguished: they come through a proxy that does not forward
  /// their addresses. So can all networks of an IPv6 site together: whoever has a site of 65,536 networks (RFC 6177) is
  /// not as many visitors.
  static let shared = 10

  private struct State {
    var key = SymmetricKey(size: .bits256)
    var day: Int64
    var visitors: [UInt64: TokenBucket] = [:]
    var others: TokenBucket
    var nextSweep: Int64 = .min
    var refused: Int64 = 0
  }

  private let state: NIOLockedValueBox<State>
  private let mostVisitors: Int

  /// Nobody has waved yet.
  ///
  /// - Parameter mostVisitors: how many visitors have an entry of their own.
  package init(mostVisitors: Int = 4096) {
    self.mostVisitors = mostVisitors
    let beginning = WallTime(milliseconds: 0)
    state = NIOLockedValueBox(State(day: Self.day(beginning), others: Self.bucket(Self.shared, beginning)))
  }

  /// How many waves were refused.
  package var refused: Int64 { state.withLockedValue { $0.refused } }

  /// How many visitors the table holds.
  var visitors: Int { state.withLockedValue { $0.visitors.count } }

  /// Takes a wave of a visitor, or refuses it.
  ///
  /// - Parameters:
  ///   - address: where the visitor comes from, an IPv6 address cut to its network.
  ///   - isShared: whether the address can be that of many visitors.
  package func wave(from address: String, isShared: Bool, now: WallTime) -> Verdict {
    state.withLockedValue { state in
      Self.renew(&state, now)
      // Who has none left takes nothing from the site; a site that has none left gets no entry for a new network.
      var wait = Self.wait(of: address, state, now)
      if wait == nil, let site = Self.site(of: address) { wait = take(from: site, Self.shared, &state, now) }
      if wait == nil { wait = take(from: address, isShared ? Self.shared : 1, &state, now) }
      guard let wait else { return .taken }
      state.refused += 1
      return .refused(seconds: max(1, Int((wait * Self.seconds + 999) / 1000)))
    }
  }

  /// The time until the next wave of a visitor in the table that has none left; `nil` for all others.
  private static func wait(of address: String, _ state: State, _ now: WallTime) -> Int64? {
    guard var own = state.visitors[hash(address, state.key)], !own.take(now: time(now)) else { return nil }
    return own.wait(now: time(now))
  }

  /// Takes a wave out of a bucket, the common one if there is no room for one of its own.
  ///
  /// - Returns: the time until the next one if there is none left.
  private func take(from address: String, _ size: Int, _ state: inout State, _ now: WallTime) -> Int64? {
    let (visitor, time) = (Self.hash(address, state.key), Self.time(now))
    var bucket = state.visitors[visitor]
    if bucket == nil, hasRoom(&state, time) { bucket = Self.bucket(size, now) }
    guard var own = bucket else { return state.others.take(now: time) ? nil : state.others.wait(now: time) }
    let isTaken = own.take(now: time)
    state.visitors[visitor] = own
    return isTaken ? nil : own.wait(now: time)
  }

  /// The first 48 bits of an IPv6 network as `ClientAddress` writes it; `nil` for an IPv4 address.
  private static func site(of address: String) -> String? {
    address.hasSuffix("::/64") ? address.prefix(12) + "::/48" : nil
  }

  /// Forgets all visitors when a day has ended.
  private static func renew(_ state: inout State, _ now: WallTime) {
    guard day(now) != state.day else { return }
    state.key = SymmetricKey(size: .bits256)
    state.day = day(now)
    state.visitors.removeAll()
    state.others = bucket(shared, now)
    state.nextSweep = .min
  }

  private func hasRoom(_ state: inout State, _ time: Int64) -> Bool {
    if state.visitors.count < mostVisitors { return true }
    guard time >= state.nextSweep else { return false }
    state.nextSweep = time + 100
    state.visitors = state.visitors.filter { _, bucket in
      var bucket = bucket
      return !bucket.isFull(now: time)
    }
    return state.visitors.count < mostVisitors
  }

  private static func hash(_ address: String, _ key: SymmetricKey) -> UInt64 {
    HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key).prefix(8)
      .reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The bucket's time: its rates are per second, ours are per ten.
  private static func time(_ now: WallTime) -> Int64 { now.milliseconds / seconds }

  private static func bucket(_ size: Int, _ now: WallTime) -> TokenBucket {
    TokenBucket(rate: size, burst: size * burst, now: time(now))
  }

  private static func day(_ now: WallTime) -> Int64 { now.milliseconds / 86_400_000 }
}
