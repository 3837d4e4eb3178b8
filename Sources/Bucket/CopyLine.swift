import Media
import NIOCore
import Packager
import Playlist

/// The segments of one camera that are in the bucket or are owed to it, oldest first, with the numbers that the bucket's
/// playlist counts them by.
///
/// The bucket's viewers know nothing of restarts, so the numbers go on over them: what the bucket's own playlist listed
/// last is where the line continues.
struct CopyLine: Sendable {
  /// A segment of the line.
  struct Entry: Sendable {
    var listed: MediaPlaylist.Segment
    /// What the playlist says beside it, such as that it is recorded.
    var range: MediaPlaylist.DateRange?
    /// Its end in wall clock time.
    var end: WallTime? { listed.programDateTime?.advanced(by: listed.duration) }
  }

  private struct Numbers {
    var sequence: Int
    var discontinuities: Int
  }

  /// How many segments a playlist lists at most.
  private(set) var most = 12
  private(set) var targetDuration = 1
  private(set) var entries: [Entry] = []
  /// The numbers of the first segment that this line has ever had; `nil` before they are known.
  private var base: Numbers?
  /// Those with which the stream itself began.
  private var suggested: Numbers?
  /// What has left the front.
  private var passed = Numbers(sequence: 0, discontinuities: 0)
  private var mustBreak = false
  /// The count of discontinuities of the stream that is appended: with another one, another stream has begun.
  private var streamIdentity: Int?
  /// The newest segment that it has listed.
  private var newestSeen: String?

  /// How many segments are owed: those that a playlist lists, and those that leave it while players may still want them.
  private var kept: Int { 2 * most + 3 }

  /// Whether the stream has begun, so that there is something to list.
  var hasBegun: Bool { streamIdentity != nil }

  // MARK: What comes

  /// Takes the segments that an earlier process has made, oldest first; only at the beginning.
  mutating func restore(_ segments: [Entry], targetDuration: Int) {
    guard entries.isEmpty, !hasBegun, !mustBreak else { return }
    self.targetDuration = targetDuration
    var breaks = false
    for var entry in segments {
      // A stream that began anew filled its playlist with pictures from before its beginning.
      breaks = breaks || entry.listed.discontinuity
      if overlaps(entry.listed) { continue }
      entry.listed.discontinuity = breaks && !entries.isEmpty
      breaks = false
      entries.append(entry)
    }
    trim()
  }

  /// Takes the newest version of the camera's playlist: what it lists and the line has not follows.
  ///
  /// - Parameter most: how many segments a playlist lists.
  mutating func append(_ playlist: MediaPlaylist, most: Int) {
    if playlist.targetDuration != targetDuration {
      // It must not change in a playlist (rfc8216bis, section 6.2.1): players have to begin anew anyway.
      if !entries.isEmpty { clear() }
      targetDuration = playlist.targetDuration
    }
    self.most = most
    let continues = streamIdentity == playlist.discontinuitySequence
    streamIdentity = playlist.discontinuitySequence
    if suggested == nil {
      suggested = Numbers(sequence: playlist.mediaSequence, discontinuities: playlist.discontinuitySequence)
    }
    // What was left out once is not taken later.
    let seen = newestSeen.flatMap { newest in playlist.segments.lastIndex { $0.uri == newest } }
    newestSeen = playlist.segments.last?.uri
    var fresh = playlist.segments.dropFirst(seen.map { $0 + 1 } ?? 0)
    // Another stream begins with pictures from before its beginning, to fill its playlist. The newest is new anyway.
    if !continues { fresh = fresh.dropFirst(fresh.dropLast().prefix { overlaps($0) }.count) }
    for (index, segment) in fresh.enumerated() {
      var entry = Entry(
        listed: segment, range: playlist.dateRanges.first { $0.startDate == segment.programDateTime })
      let isJoint = index == 0 && !entries.isEmpty && (!continues || seen == nil)
      if mustBreak || isJoint { entry.listed.discontinuity = true }
      mustBreak = false
      entries.append(entry)
    }
    trim()
  }

  /// Drops all segments: what comes next begins behind a discontinuity.
  mutating func clear() {
    while !entries.isEmpty { removeFirst() }
    mustBreak = true
    (streamIdentity, newestSeen) = (nil, nil)
  }

  /// Learns what the bucket's playlist lists; `nil` if there is none. The numbers go on from there.
  mutating func anchor(to playlist: MediaPlaylist?) {
    guard base == nil, let playlist, let last = playlist.segments.last else { return }
    let sequence = playlist.mediaSequence + playlist.segments.count - 1
    let discontinuities = playlist.discontinuitySequence + playlist.segments.count { $0.discontinuity }
    // A damaged playlist may count so low that what comes before its last segment would have numbers below zero.
    if playlist.targetDuration == targetDuration, let place = entries.firstIndex(where: { $0.listed.uri == last.uri }),
      case let before = entries[...place].count(where: { $0.listed.discontinuity }),
      sequence >= place, discontinuities >= before
    {
      base = Numbers(
        sequence: sequence - place - passed.sequence,
        discontinuities: discontinuities - before - passed.discontinuities)
    } else {
      base = Numbers(
        sequence: sequence + 1 - passed.sequence, discontinuities: discontinuities - passed.discontinuities)
      if entries.isEmpty { mustBreak = true } else { entries[0].listed.discontinuity = true }
    }
  }

  /// Whether a playlist can be gone on from: players count with doubles, so one with a larger number is damaged.
  static func isSound(_ playlist: MediaPlaylist) -> Bool {
    [playlist.mediaSequence, playlist.discontinuitySequence].allSatisfy((0...(1 << 53)).contains)
  }

  // MARK: What is listed

  /// The segments that the next playlist lists: the newest that are all there; `nil` if there are too few to begin.
  ///
  /// - Parameter isThere: whether a file is in the bucket.
  func listable(_ isThere: (String) -> Bool) -> Range<Int>? {
    guard hasBegun else { return nil }
    for end in stride(from: entries.count, to: 0, by: -1) {
      let start = max(0, end - most)
      guard end - start >= min(3, entries.count) else { return nil }
      let isWhole = entries[start..<end].allSatisfy { entry in
        isThere(entry.listed.uri) && entry.listed.map.map { isThere($0.uri) } ?? true
      }
      if isWhole { return start..<end }
    }
    return nil
  }

  /// The playlist of these segments.
  func playlist(_ range: Range<Int>) -> MediaPlaylist {
    let start = base ?? suggested ?? Numbers(sequence: 0, discontinuities: 0)
    let before = entries[..<range.lowerBound].count { $0.listed.discontinuity }
    return MediaPlaylist(
      targetDuration: targetDuration,
      mediaSequence: start.sequence + passed.sequence + range.lowerBound,
      discontinuitySequence: max(0, start.discontinuities + passed.discontinuities + before),
      independentSegments: true, segments: entries[range].map(\.listed), dateRanges: entries[range].compactMap(\.range))
  }

  /// Whether a segment shows a time that the line has already.
  private func overlaps(_ segment: MediaPlaylist.Segment) -> Bool {
    guard let end = entries.last?.end, let date = segment.programDateTime else { return false }
    return date.advanced(by: Ticks(segment.duration.count / 2)) < end
  }

  private mutating func trim() { while entries.count > kept { removeFirst() } }

  private mutating func removeFirst() {
    passed.sequence += 1
    if entries.removeFirst().listed.discontinuity { passed.discontinuities += 1 }
  }
}
