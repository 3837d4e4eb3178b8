import Media
import Playlist

/// What playlists list and what is to be fetched of it: everything once, in order, in bounded queues.
struct Harvest: Sendable {
  /// A segment or part to be fetched.
  struct Job: Sendable {
    let piece: MediaProbe.Piece
    let uri: String
    let map: MediaPlaylist.Map?
    let range: MediaPlaylist.ByteRange?
    let mapURL: String?
    /// Until when it must be available in any case (rfc8216bis, section 6.2.2); `nil` if its start is not known.
    let until: Ticks?
  }

  /// Something that left the playlist and must still be available for a while.
  struct Departure: Sendable {
    let url: String
    let key: String
    let until: Ticks
  }

  let segments: AsyncStream<Job>
  let parts: AsyncStream<Job>
  let hints: AsyncStream<MediaPlaylist.PreloadHint>
  /// Whether the last version said anything new.
  var lastChanged = true
  /// When the last version was requested.
  var lastAsked = Ticks.zero
  var isEncrypted: Bool?
  /// The departures to be checked, in no order.
  var departures: [Departure] = []
  private let segmentQueue: AsyncStream<Job>.Continuation
  private let partQueue: AsyncStream<Job>.Continuation
  private let hintQueue: AsyncStream<MediaPlaylist.PreloadHint>.Continuation
  private var hinted: String?
  private var longest = Ticks.zero

  init() {
    (segments, segmentQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(256))
    (parts, partQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(256))
    (hints, hintQueue) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func finish() {
    segmentQueue.finish()
    partQueue.finish()
    hintQueue.finish()
  }

  /// Queues what a version lists for the first time. Of the first version, only the last segments: those that a player
  /// would load.
  ///
  /// - Parameter absentAt: when the previous version was requested, which did not have what is new now.
  mutating func collect(_ new: MediaPlaylist, before: MediaPlaylist?, absentAt: Ticks?, base: String) {
    longest = max(longest, new.total)
    var offsets: [String: Int] = [:]
    for (index, segment) in new.segments.enumerated() {
      let number = new.mediaSequence + index
      let range = Self.locate(segment.byteRange, segment.uri, &offsets)
      guard number >= before?.end ?? new.end - 6, !segment.gap else { continue }
      let follows = index > 0 && !segment.discontinuity ? "\(number - 1)" : nil
      let until = absentAt.map { $0 + segment.duration + longest }
      let job = job(
        "\(number)", follows, segment.uri, segment.duration, segment.map, range, base,
        independent: new.independentSegments, isSegment: true, until: until)
      segmentQueue.yield(job)
      if let until, segment.byteRange == nil {
        departures.append(Departure(url: job.piece.url, key: "\(number)", until: until))
      }
    }
    let isBehind = before.map { new.isBehind($0) } ?? false
    guard new.partTarget != nil, !isBehind, new.end >= before?.end ?? 0 else { return }
    for number in max(new.mediaSequence, before?.end ?? new.end)...new.end {
      collectParts(of: number, new, before: before, base: base)
    }
    collectDepartedParts(new, before: before, absentAt: absentAt, base: base)
    if let hint = new.preloadHint, hint.uri != hinted || hint.byteRangeStart > 0 {
      hinted = hint.uri
      hintQueue.yield(hint)
    }
  }

  private mutating func collectParts(of number: Int, _ new: MediaPlaylist, before: MediaPlaylist?, base: String) {
    let segment = new.segment(number)
    let isBroken = segment.map(\.discontinuity) ?? new.trailingDiscontinuity
    var offsets: [String: Int] = [:]
    let known = before?.end == number ? before?.trailingParts.count ?? 0 : 0
    for (index, part) in new.parts(of: number).enumerated() {
      let range = Self.locate(part.byteRange, part.uri, &offsets)
      guard index >= known, !part.gap else { continue }
      let previous = new.parts(of: number - 1).count
      let follows =
        index > 0 ? "\(number).\(index - 1)" : previous > 0 && !isBroken ? "\(number - 1).\(previous - 1)" : nil
      let map = segment.map(\.map) ?? new.trailingMap ?? new.segments.last?.map
      partQueue.yield(
        job(
          "\(number).\(index)", follows, part.uri, part.duration, map, range, base, independent: part.independent,
          isSegment: false, until: nil))
    }
  }

  /// For each segment whose parts left, one part is requested until three target durations later.
  private mutating func collectDepartedParts(
    _ new: MediaPlaylist, before: MediaPlaylist?, absentAt: Ticks?, base: String
  ) {
    guard let before, let absentAt else { return }
    for (index, segment) in before.segments.enumerated() {
      guard let part = segment.parts.first, part.byteRange == nil else { continue }
      let number = before.mediaSequence + index
      guard new.parts(of: number).isEmpty else { continue }
      departures.append(
        Departure(
          url: PlaylistAddress.resolve(part.uri, from: base), key: "\(number).0",
          until: absentAt + .seconds(Int64(3 * new.targetDuration))))
    }
  }

  private func job(
    _ key: String, _ follows: String?, _ uri: String, _ duration: Ticks, _ map: MediaPlaylist.Map?,
    _ range: MediaPlaylist.ByteRange?, _ base: String, independent: Bool, isSegment: Bool, until: Ticks?
  ) -> Job {
    let mapURL = map.map {
      PlaylistAddress.resolve($0.uri, from: base) + ($0.byteRange.map { "#\($0.offset ?? 0)" } ?? "")
    }
    return Job(
      piece: MediaProbe.Piece(
        key: key, follows: follows, url: PlaylistAddress.resolve(uri, from: base), duration: duration, map: mapURL,
        claimsIndependence: independent, isSegment: isSegment),
      uri: uri, map: map, range: range, mapURL: mapURL, until: until)
  }

  /// Gives a byte range without an offset the one that it continues (rfc8216bis, section 4.4.4.2).
  private static func locate(
    _ range: MediaPlaylist.ByteRange?, _ uri: String, _ offsets: inout [String: Int]
  ) -> MediaPlaylist.ByteRange? {
    guard var range else { return nil }
    range.offset = range.offset ?? offsets[uri] ?? 0
    offsets[uri] = (range.offset ?? 0).addingReportingOverflow(range.length).partialValue
    return range
  }
}

extension MediaPlaylist.ByteRange {
  /// The value of a Range header.
  var header: String {
    let first = offset ?? 0
    return "bytes=\(first)-\(max(first, first.addingReportingOverflow(length - 1).partialValue))"
  }
}
