import Crypto
import Foundation

/// Counts visitors and viewers without knowing them: a pure state machine.
///
/// A visitor is an HMAC over address, browser family and camera. Its key is 32 random bytes that live in memory alone and
/// are replaced at midnight UTC, together with the set of hashes. What leaves it are sums.
///
/// The element says each minute how long its picture was visible. Other players are known by their requests for
/// playlists: the time between two of them was watched. Neither can be proved, so each visitor and each address have
/// limits, and what is over them does not count.
package struct Audience: Sendable {
  /// The time after which somebody who watches is a visitor, in seconds.
  static let leastSeconds: Int64 = 5
  /// The same for other players: the element may ask for playlists too, and says so only after some seconds.
  static let leastOfPlayer: Int64 = 15
  /// How often the element speaks, in seconds, and for how long it is a viewer after that.
  package static let beat: Int64 = 60
  static let presence: Int64 = 75
  /// How many viewers one address can be at the same time. Behind one address may be a school.
  static let viewersPerAddress: Int64 = 20
  /// The most visitors whose hashes are kept, and the most viewers and addresses.
  static let (mostVisitors, mostViewers, mostAddresses) = (500_000, 100_000, 100_000)

  /// Who watches: exists only while something is counted.
  package struct Viewer: Sendable {
    /// The IPv4 address, or the first 64 bits of an IPv6 address.
    let address: String
    let family: BrowserFamily
    let camera: String

    /// A viewer of a camera.
    package init(address: String, family: BrowserFamily, camera: String) {
      (self.address, self.family, self.camera) = (address, family, camera)
    }
  }

  private struct Presence {
    let camera: String
    var until: Int64
    var recent = RecentSeconds()
    /// When the element spoke last.
    var element: Int64?
    /// When a playlist was asked for last, and the seconds that do not count yet.
    var playlist: Int64?
    var uncounted: Int64 = 0
    var isVisitor = false

    /// How many watch with this hash: more than one where several visitors share an address and a browser.
    func viewers(at now: Int64) -> Int { now < until ? max(1, recent.viewers(at: now)) : 0 }
  }

  private struct Allowance {
    var seconds: Int64
    var time: Int64
  }

  private let makeKey: @Sendable () -> SymmetricKey
  private var key: SymmetricKey
  private var day: Int64
  private var visitors: Set<UInt64> = []
  private var present: [UInt64: Presence] = [:]
  private var allowances: [UInt64: Allowance] = [:]
  /// Who has asked for playlists in this second, as hashes of this process: to ask again in it changes nothing, and is
  /// not worth an HMAC.
  private var askedNow: (second: Int64, viewers: Set<Int>) = (.min, [])
  private var counted: [CameraDay: Int64] = [:]
  private var today: [String: Int64] = [:]
  /// Seconds watched since the process started, by camera.
  package private(set) var watched: [String: Int64] = [:]
  /// Whether more visitors came today than can be told apart, so that their number is too small.
  package private(set) var isFull = false

  /// Nobody so far.
  ///
  /// - Parameters:
  ///   - day: whole days since 1970-01-01, in UTC.
  ///   - makeKey: makes 32 random bytes.
  package init(day: Int64, makeKey: @escaping @Sendable () -> SymmetricKey = { SymmetricKey(size: .bits256) }) {
    self.day = day
    self.makeKey = makeKey
    key = makeKey()
  }

  /// Notes that an element had its picture visible for some time until now.
  ///
  /// - Parameters:
  ///   - seconds: since it last said so; more than it can have been is cut.
  ///   - isLast: whether it is not visible any longer.
  ///   - now: seconds of a clock that does not step back.
  package mutating func seen(_ viewer: Viewer, seconds: Int64, isLast: Bool, now: Int64, day: Int64) {
    begin(day)
    guard seconds > 0 else { return }
    let hash = hash(viewer)
    guard var presence = presence(of: hash, viewer, now: now) else { return }
    presence.element = now
    presence.uncounted = 0
    let seconds = allowed(min(seconds, Self.presence), of: viewer, now: now)
    add(seconds, to: &presence, hash, now: now, least: Self.leastSeconds)
    // Others may watch with the same hash.
    presence.until = isLast && presence.viewers(at: now) <= 1 ? now : max(presence.until, now + Self.presence)
    present[hash] = presence
  }

  /// Notes that a player asked for a playlist.
  ///
  /// - Parameter pause: the longest time until its next request, in seconds.
  package mutating func asked(_ viewer: Viewer, pause: Int64, now: Int64, day: Int64) {
    begin(day)
    guard isFirstRequest(of: viewer, pause, in: now) else { return }
    let hash = hash(viewer)
    guard var presence = presence(of: hash, viewer, now: now) else { return }
    defer { present[hash] = presence }
    let gap = presence.playlist.map { now - $0 }
    presence.playlist = now
    // The element has said, and says, what it watches.
    if let element = presence.element, now - element <= Self.presence { return }
    guard let gap, gap <= pause else {
      presence.uncounted = 0
      return
    }
    presence.uncounted += gap
    guard presence.isVisitor || presence.uncounted >= Self.leastOfPlayer else { return }
    let seconds = allowed(presence.uncounted, of: viewer, now: now)
    presence.uncounted = 0
    add(seconds, to: &presence, hash, now: now, least: 1)
    presence.isVisitor = true
    presence.until = max(presence.until, now + pause)
  }

  /// The viewers now, by camera; a camera that nobody watches may be missing. Forgets those who have gone.
  package mutating func viewers(now: Int64, day: Int64) -> [String: Int] {
    begin(day)
    var result: [String: Int] = [:]
    for (hash, presence) in present {
      let count = presence.viewers(at: now)
      if count > 0 {
        result[presence.camera, default: 0] += count
      } else if now - max(presence.until, presence.playlist ?? 0, presence.element ?? 0) > 2 * Self.presence {
        present[hash] = nil
      }
    }
    allowances = allowances.filter { now - $0.value.time < 3 * Self.presence }
    return result
  }

  /// The visitors since midnight UTC or the start of the process, by camera.
  package mutating func visitorsToday(day: Int64) -> [String: Int64] {
    begin(day)
    return today
  }

  /// The visitors that were counted since the last call.
  package mutating func takeVisitors() -> [CameraDay: Int64] {
    defer { counted = [:] }
    return counted
  }

  // MARK: Rules

  /// At midnight UTC the key goes, and with it everything that was made with it.
  private mutating func begin(_ day: Int64) {
    guard day != self.day else { return }
    self.day = day
    key = makeKey()
    visitors = []
    present = [:]
    allowances = [:]
    askedNow = (.min, [])
    today = [:]
    isFull = false
  }

  private mutating func isFirstRequest(of viewer: Viewer, _ pause: Int64, in second: Int64) -> Bool {
    if askedNow.second != second { askedNow = (second, []) }
    var hasher = Hasher()
    hasher.combine(viewer.address)
    hasher.combine(viewer.family)
    hasher.combine(viewer.camera)
    hasher.combine(pause)
    return askedNow.viewers.insert(hasher.finalize()).inserted
  }

  private func hash(_ viewer: Viewer) -> UInt64 {
    hash("\(viewer.address)\0\(viewer.family.rawValue)\0\(viewer.camera)")
  }

  private func hash(_ text: String) -> UInt64 {
    let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    return code.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }

  private func presence(of hash: UInt64, _ viewer: Viewer, now: Int64) -> Presence? {
    if let known = present[hash] { return known }
    guard present.count < Self.mostViewers else { return nil }
    return Presence(
      camera: viewer.camera, until: now, isVisitor: visitors.contains(hash))
  }

  /// How many of these seconds the viewer's address may add: as many as `viewersPerAddress` of them have in that time.
  private mutating func allowed(_ seconds: Int64, of viewer: Viewer, now: Int64) -> Int64 {
    let hash = hash("\(viewer.address)\0\0")
    let most = Self.viewersPerAddress * Self.presence
    var allowance: Allowance
    if let known = allowances[hash] {
      allowance = known
      allowance.seconds = min(most, known.seconds + max(0, now - known.time) * Self.viewersPerAddress)
      allowance.time = max(now, known.time)
    } else {
      guard allowances.count < Self.mostAddresses else { return 0 }
      allowance = Allowance(seconds: most, time: now)
    }
    let taken = min(seconds, allowance.seconds)
    allowance.seconds -= taken
    allowances[hash] = allowance
    return taken
  }

  private mutating func add(_ seconds: Int64, to presence: inout Presence, _ hash: UInt64, now: Int64, least: Int64) {
    guard seconds > 0 else { return }
    watched[presence.camera, default: 0] += seconds
    presence.recent.add(seconds, at: now)
    guard seconds >= least, !presence.isVisitor else { return }
    // As long as its presence is known, nothing has to be looked up again.
    presence.isVisitor = true
    guard !visitors.contains(hash) else { return }
    guard visitors.count < Self.mostVisitors else {
      isFull = true
      return
    }
    visitors.insert(hash)
    counted[CameraDay(camera: presence.camera, day: day), default: 0] += 1
    today[presence.camera, default: 0] += 1
  }
}
