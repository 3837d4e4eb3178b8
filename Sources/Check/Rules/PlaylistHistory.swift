import Media
import Playlist

/// Successive versions of one media playlist with their times of arrival: what changed, and whether that is allowed.
///
/// A pure state machine. For each version it knows when it was requested and when it had arrived; the server's state is
/// from between these times. It says that a server is late only if that is so for both. So a check that is itself late
/// finds less, but never something false.
package struct PlaylistHistory: Sendable {
  /// How much later than the rules allow a server may be before it counts as late: an allowance for a loaded machine.
  package struct Tolerance: Sendable {
    /// For segments.
    package var segment = Ticks.milliseconds(500)
    /// For parts.
    package var part = Ticks.milliseconds(300)

    /// Half a second for segments, three tenths for parts.
    package init() {}
  }

  /// One version as it arrived.
  struct Seen: Sendable {
    let playlist: MediaPlaylist
    let asked: Ticks
    let arrived: Ticks
  }

  /// The address, for findings.
  package let url: String
  /// How many versions arrived.
  package private(set) var version = 0
  /// The newest version, full.
  package private(set) var newest: MediaPlaylist?
  /// Everything known so far.
  var verdicts = Verdicts()
  /// The first segment number that was not checked by itself yet.
  var firstUnjudged = 0
  var hasRemoved = false
  var dateRanges: [String: MediaPlaylist.DateRange] = [:]
  /// The number of each address; the oldest are dropped.
  var numbers: [String: Int] = [:]
  /// The newest segments that began with a discontinuity.
  var breaks: [Int] = []
  /// The duration of the longest version so far.
  private(set) var longest = Ticks.zero
  private let tolerance: Tolerance
  private var last: Seen?
  /// The newest version that came without directives.
  private var lastPlain: MediaPlaylist?
  private var segmentClock = Clock()
  private var partClock = Clock()
  private var said: Set<String> = []

  /// When the newest item of a kind was first seen, and whether its successor is known to be late.
  fileprivate struct Clock: Sendable {
    var position = 0
    var arrived: Ticks?
    /// When a player that keeps up with the server has played everything. A server that publishes more at once, because
    /// it knows what comes, has more time until the next.
    var playedAt = Ticks.zero
    var isLate = false

    mutating func advance(to position: Int, at time: Ticks, adding media: Ticks, most: Ticks) {
      let played = max(arrived == nil ? time : playedAt, time) + media
      self = Clock(position: position, arrived: time, playedAt: min(played, time + most))
    }
  }

  /// Forgets the numbers after they turned out to count something else than before.
  mutating func forgetNumbers(of playlist: MediaPlaylist) {
    firstUnjudged = playlist.end
    numbers = [:]
    segmentClock = Clock()
    partClock = Clock()
  }

  /// An empty history.
  package init(url: String, tolerance: Tolerance = Tolerance()) {
    self.url = url
    self.tolerance = tolerance
  }

  /// Takes the next version.
  ///
  /// - Parameters:
  ///   - playlist: the full playlist; a delta must be merged before.
  ///   - asked: when the request was sent, less the age that a cache reported.
  ///   - arrived: when the answer had arrived.
  ///   - isDirected: whether it is the answer to a request with delivery directives.
  /// - Returns: what this version showed.
  package mutating func take(
    _ playlist: MediaPlaylist, asked: Ticks, arrived: Ticks, isDirected: Bool = false
  ) -> Verdicts {
    verdicts = Verdicts()
    if let last, playlist.isBehind(last.playlist) {
      // Two requests at the same time may be answered in either order.
      if asked < last.arrived { return verdicts }
      if !isDirected, isEarlierVersion(playlist) {
        compare(playlist, last.playlist, elapsed: .zero)
        judgeTimes(last.playlist, asked: asked, arrived: arrived)
        lastPlain = playlist
        return verdicts
      }
    }
    if !isDirected { lastPlain = playlist }
    version += 1
    if let old = last?.playlist { compare(old, playlist, elapsed: arrived - (last?.asked ?? asked)) }
    judgeTimes(playlist, asked: asked, arrived: arrived)
    judgeVersion(playlist)
    judgeSegments(playlist)
    longest = max(longest, playlist.total)
    firstUnjudged = max(firstUnjudged, playlist.end)
    newest = playlist
    last = Seen(playlist: playlist, asked: asked, arrived: arrived)
    return verdicts
  }

  /// Whether a plain answer that is behind can be an earlier version: if a server publishes ahead for players with
  /// blocking reloads, others get each version when its time comes. Those must not go back either.
  private func isEarlierVersion(_ playlist: MediaPlaylist) -> Bool {
    playlist.serverControl?.canBlockReload == true && !(lastPlain.map { playlist.isBehind($0) } ?? false)
  }

  /// When a plain request would prove that the next part or segment is late; `nil` before anything has arrived.
  package var lateAt: Ticks? {
    guard let newest else { return nil }
    let segment = segmentClock.arrived.map { _ in segmentClock.playedAt + newest.grace + tolerance.segment }
    guard newest.partTarget != nil, partClock.arrived != nil, !partClock.isLate else { return segment }
    let part = partClock.playedAt + tolerance.part
    return min(part, segment ?? part)
  }

  /// Adds a finding about the current version.
  mutating func find(
    _ rule: Rule, _ message: String, at place: String = "", severity: Rule.Severity? = nil, section: String? = nil
  ) {
    verdicts.add(
      Finding(rule, message, url: url, place: place, version: version, severity: severity, section: section))
  }

  /// Adds a finding about the whole stream, once.
  mutating func findOnce(
    _ rule: Rule, _ message: String, at place: String = "", severity: Rule.Severity? = nil, section: String? = nil
  ) {
    guard said.insert("\(rule)\(message)").inserted else { return }
    find(rule, message, at: place, severity: severity, section: section)
  }

  mutating func judge(_ rules: Rule...) { for rule in rules { verdicts.judge(rule) } }

  // MARK: H2

  private mutating func judgeTimes(_ playlist: MediaPlaylist, asked: Ticks, arrived: Ticks) {
    guard !playlist.endList else { return }
    let unit = Ticks.seconds(Int64(playlist.targetDuration))
    if playlist.end != segmentClock.position || segmentClock.arrived == nil {
      // Numbers can jump by any count.
      let count = segmentClock.arrived == nil ? 1 : Int64(min(max(1, playlist.end - segmentClock.position), 1000))
      segmentClock.advance(to: playlist.end, at: arrived, adding: unit * count, most: unit * 2)
    } else if segmentClock.isOverdue(by: playlist.grace + tolerance.segment, asked: asked) {
      find(
        .pace,
        "no segment came for more than \(playlist.pace): segment \(playlist.end - 1) was there "
          + "\(since(segmentClock, asked)) earlier and is still the newest", at: "segment \(playlist.end)",
        section: "6.2.1")
    }
    if segmentClock.position > 0, version > 1 { judge(.pace) }
    guard let target = playlist.partTarget else { return }
    let position = playlist.end << 20 | playlist.trailingParts.count
    if position != partClock.position || partClock.arrived == nil {
      let media = last.map { playlist.media(after: $0.playlist) } ?? target
      partClock.advance(to: position, at: arrived, adding: max(target, media), most: unit + target)
    } else if partClock.isOverdue(by: tolerance.part, asked: asked) {
      find(
        .pace,
        "no part came for more than the part target of \(target) after the listed ones had played: the newest "
          + "was there \(since(partClock, asked)) earlier",
        at: "part \(playlist.end).\(playlist.trailingParts.count)", section: "6.2.1")
    }
  }

  private func since(_ clock: Clock, _ asked: Ticks) -> String { "\(asked - (clock.arrived ?? asked))" }
}

extension PlaylistHistory.Clock {
  /// Whether the successor is late and this was not known yet.
  fileprivate mutating func isOverdue(by slack: Ticks, asked: Ticks) -> Bool {
    guard !isLate, asked > playedAt + slack else { return false }
    isLate = true
    return true
  }
}

extension MediaPlaylist {
  /// The number of the first segment that is listed: what a delta skips can be any count.
  var firstListed: Int { mediaSequence + (skipped ?? 0) }

  /// The number of the segment that is not complete yet.
  var end: Int { mediaSequence + (skipped ?? 0) + segments.count }

  /// The duration of everything listed, the parts of the open segment included.
  var total: Ticks {
    segments.reduce(.zero) { $0 + $1.duration } + trailingParts.reduce(.zero) { $0 + $1.duration }
  }

  /// The longest time between two segments: 1.5 target durations (rfc8216bis, section 6.2.1).
  var pace: Ticks { Ticks(Int64(targetDuration) * Ticks.perSecond * 3 / 2) }

  /// How long after the newest segment has played the next one can come.
  var grace: Ticks { Ticks(Int64(targetDuration) * Ticks.perSecond / 2) }

  /// How much of the listed media an earlier version does not list.
  func media(after old: MediaPlaylist) -> Ticks {
    let complete = segments.suffix(max(0, end - max(old.end, mediaSequence))).reduce(Ticks.zero) { $0 + $1.duration }
    let open = trailingParts.reduce(Ticks.zero) { $0 + $1.duration }
    return complete + open - old.trailingParts.reduce(Ticks.zero) { $0 + $1.duration }
  }

  /// The segment with this number, if it is listed.
  func segment(_ number: Int) -> Segment? {
    let index = number - mediaSequence - (skipped ?? 0)
    return segments.indices.contains(index) ? segments[index] : nil
  }

  /// The parts of this segment, complete or not.
  func parts(of number: Int) -> [Part] { number == end ? trailingParts : segment(number)?.parts ?? [] }

  /// Whether another version says more.
  func isBehind(_ other: MediaPlaylist) -> Bool {
    (end, trailingParts.count, mediaSequence) < (other.end, other.trailingParts.count, other.mediaSequence)
  }
}
