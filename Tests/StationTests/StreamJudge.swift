import Media
import NIOCore
import Packager
import Playlist

@testable import Station

/// Holds successive versions of one camera's playlist, over all lives of its process, against the rules of HLS.
struct StreamJudge {
  /// What a file of media turned out to be.
  private struct Piece {
    let bytes: ByteBuffer
    let start: Ticks
    let end: Ticks
    let pictures: Int
    let beginsWithIDR: Bool
    let idrs: Int
  }

  private let step: Ticks
  private(set) var mistakes: [String] = []
  private var pieces: [String: Piece] = [:]
  private var last: MediaPlaylist?
  /// The last version that is known to be on disk as a whole.
  private var durable: MediaPlaylist?
  private var retained = RetainedMedia()
  private var plain = PlainJudge()
  /// The highest media sequence that anybody has seen, of what was published ahead too.
  private var highestSequence = 0
  private var isNewLife = true
  private var isNewStream = true
  private var ranges: [String: WallTime] = [:]
  /// The segments of this life with a second IDR picture, which the first still after a long silence brings.
  private var twofold: Set<String> = []

  init(step: Ticks) { self.step = step }

  private mutating func expect(_ isRight: Bool, _ message: @autoclosure () -> String) {
    if !isRight, mistakes.count < 5 { mistakes.append(message()) }
  }

  /// Holds one more thing.
  mutating func hold(_ isRight: Bool, _ message: @autoclosure () -> String) { expect(isRight, message()) }

  // MARK: What happens

  /// The process has ended; the next life begins with what is on disk.
  ///
  /// - Parameter losesState: whether that is nothing that can be gone on with. What lies there is served all the same.
  mutating func processEnded(losesState: Bool) {
    isNewLife = true
    twofold.removeAll()
    if losesState {
      isNewStream = true
      durable = nil
    }
    retained.processEnded()
  }

  /// The disk takes nothing any more and gives nothing back but whole segments that were there.
  mutating func diskFailed() { retained.diskFailed() }

  /// The mirror has written all of the newest version.
  mutating func becameDurable() {
    durable = last
    retained.becameDurable()
  }

  /// Everything that was published was withdrawn: none of it may be there, but for names that come again.
  mutating func withdrawn(from edge: LiveEdge) {
    isNewStream = true
    retained.withdrawn()
    for name in pieces.keys where !name.hasPrefix("loop-") && !name.hasPrefix("init-") {
      expect(edge.media(named: name) == nil, "\(name) was withdrawn and can be fetched")
    }
  }

  /// Names that must not be in the store after a withdrawal.
  var withdrawnNames: Set<String> {
    Set(pieces.keys.filter { !$0.hasPrefix("loop-") && !$0.hasPrefix("init-") })
  }

  // MARK: What is published

  mutating func look(at edge: LiveEdge, now: Ticks) {
    guard let snapshot = edge.snapshot else { return expect(false, "nothing is published") }
    if let playlist = read(snapshot.media.plain, edge) {
      judge(playlist)
      retained.owe(playlist, now: now)
      if let far = edge.furthest, far.position > snapshot.position, let ahead = read(far.media.plain, edge) {
        judgeAhead(ahead, of: playlist)
        highestSequence = max(highestSequence, ahead.mediaSequence)
      }
      highestSequence = max(highestSequence, playlist.mediaSequence)
      last = playlist
    }
    if let text = edge.plain?.plain, let playlist = read(text, edge) {
      for mistake in plain.judge(playlist) { expect(false, mistake) }
      retained.owe(playlist, now: now)
    }
    for (name, time) in retained.missing(at: edge, now: now) {
      expect(false, "H6: \(name) has to be there for \(time) more")
    }
    (isNewLife, isNewStream) = (false, false)
  }

  private mutating func read(_ text: ByteBuffer, _ edge: LiveEdge) -> MediaPlaylist? {
    judgeOrder(String(buffer: text))
    let playlist: MediaPlaylist
    do { playlist = try MediaPlaylist.parse(text) } catch {
      expect(false, "the playlist does not parse: \(error)")
      return nil
    }
    judgeMedia(playlist, edge)
    return playlist
  }

  /// H8.
  private mutating func judgeOrder(_ text: String) {
    var (isFirstMap, isBroken, hasParts) = (true, false, false)
    for line in text.split(separator: "\n") {
      if line.hasPrefix("#EXT-X-MAP") {
        expect(isFirstMap || (isBroken && !hasParts), "H8: EXT-X-MAP without a discontinuity right before it: \(text)")
        isFirstMap = false
      } else if line == "#EXT-X-DISCONTINUITY" {
        expect(!hasParts, "H8: a discontinuity among the parts of a segment: \(text)")
        isBroken = true
      } else if line.hasPrefix("#EXT-X-PART:") {
        hasParts = true
      } else if !line.hasPrefix("#") {
        (isBroken, hasParts) = (false, false)
      }
    }
  }

  private static func names(of playlist: MediaPlaylist) -> Set<String> {
    var names = Set(playlist.segments.flatMap { [$0.uri] + $0.parts.map(\.uri) })
    names.formUnion(playlist.trailingParts.map(\.uri))
    return names
  }

  // MARK: Media

  /// A name stands for the same bytes for ever; all that is listed is there.
  private mutating func piece(_ name: String, _ edge: LiveEdge) -> Piece? {
    guard let bytes = edge.media(named: name) else {
      expect(false, "H6, D6: \(name) is listed and not there")
      return nil
    }
    if let known = pieces[name] {
      expect(known.bytes == bytes, "D2: \(name) stood for \(known.bytes.readableBytes) bytes, now for others")
      return known
    }
    do {
      let parts = try FragmentReader.parts(in: bytes)
      for (before, after) in zip(parts, parts.dropFirst()) {
        expect(before.start + step * Int64(before.pictures.count) == after.start, "H7: \(name) has a gap in it")
      }
      let pictures = parts.flatMap(\.pictures)
      guard let first = parts.first else {
        expect(false, "\(name) is empty")
        return nil
      }
      let piece = Piece(
        bytes: bytes, start: first.start, end: first.start + step * Int64(pictures.count), pictures: pictures.count,
        beginsWithIDR: pictures[0].isIDR, idrs: pictures.count { $0.isIDR })
      pieces[name] = piece
      return piece
    } catch {
      expect(false, "\(name) cannot be read: \(error)")
      return nil
    }
  }

  private mutating func judgeMedia(_ playlist: MediaPlaylist, _ edge: LiveEdge) {
    expect(playlist.independentSegments, "H10: no EXT-X-INDEPENDENT-SEGMENTS")
    var end: Ticks?
    for segment in playlist.segments {
      let name = segment.uri
      if let map = segment.map { expect(edge.media(named: map.uri) != nil, "D6: \(map.uri) is listed and not there") }
      guard let piece = piece(name, edge) else { continue }
      expect(piece.beginsWithIDR, "H10: \(name) does not begin with an IDR picture")
      expect(piece.idrs <= 2, "\(name) has \(piece.idrs) IDR pictures")
      if piece.idrs > 1 { twofold.insert(name) }
      expect(step * Int64(piece.pictures) == segment.duration, "M1: \(name) has \(piece.pictures) pictures")
      expect(segment.duration <= .seconds(Int64(playlist.targetDuration)), "H1: \(name) is too long")
      expect(
        segment.discontinuity || end == nil || end == piece.start,
        "H7: \(name) begins at \(piece.start), not at \(end ?? .zero)")
      if !segment.parts.isEmpty {
        var whole = ByteBuffer()
        for part in segment.parts {
          guard let piece = self.piece(part.uri, edge) else { continue }
          whole.writeImmutableBuffer(piece.bytes)
        }
        expect(whole == piece.bytes, "L1: the parts of \(name) are not the segment")
      }
      end = piece.end
    }
    let twofold = twofold
    expect(twofold.count <= 6, "\(twofold.sorted()) have two IDR pictures each")
    var isFirst = true
    for part in playlist.trailingParts {
      guard let piece = piece(part.uri, edge) else { continue }
      expect(piece.beginsWithIDR || !isFirst, "H10: \(part.uri) does not begin with an IDR picture")
      expect(piece.beginsWithIDR || !part.independent, "H10: \(part.uri) is listed as independent and is not")
      expect(
        isFirst && playlist.trailingDiscontinuity || end == nil || end == piece.start,
        "H7: part \(part.uri) begins at \(piece.start), not at \(end ?? .zero)")
      (end, isFirst) = (piece.end, false)
    }
  }

  // MARK: Versions

  private mutating func judge(_ playlist: MediaPlaylist) {
    let target = Ticks.seconds(Int64(playlist.targetDuration))
    let total = playlist.segments.reduce(Ticks.zero) { $0 + $1.duration }
    expect(playlist.segments.count >= 6, "H5: \(playlist.segments.count) segments are listed")
    expect(total >= target * 3, "H5: only \(total) are listed")
    expect(!playlist.endList && playlist.playlistType == nil, "H11: an end or a type")
    expect(playlist.preloadHint != nil, "L6: no preload hint")
    judgeDates(playlist)
    if let last { judgeSuccession(last, playlist) }
    if isNewLife, !isNewStream, let durable { judgeCommon(durable, playlist, isSameLife: false) }
  }

  /// H9, H13.
  private mutating func judgeDates(_ playlist: MediaPlaylist) {
    var earliest: WallTime?
    for segment in playlist.segments {
      guard let date = segment.programDateTime else {
        expect(false, "H9: \(segment.uri) has no date")
        continue
      }
      expect(earliest.map { $0.milliseconds <= date.milliseconds + 1 } ?? true, "H9: a date means two moments: \(date)")
      earliest = date.advanced(by: segment.duration)
    }
    if let date = playlist.trailingProgramDateTime {
      expect(earliest.map { $0.milliseconds <= date.milliseconds + 1 } ?? true, "H9: a date means two moments: \(date)")
    }
    for range in playlist.dateRanges {
      guard let start = range.startDate else { continue }
      expect(ranges[range.id] ?? start == start, "H13: the id \(range.id) comes again")
      ranges[range.id] = start
    }
  }

  private mutating func judgeSuccession(_ old: MediaPlaylist, _ new: MediaPlaylist) {
    expect(new.mediaSequence >= old.mediaSequence, "H4: \(old.mediaSequence) went back to \(new.mediaSequence)")
    expect(
      new.discontinuitySequence >= old.discontinuitySequence,
      "H7: \(old.discontinuitySequence) discontinuities went back to \(new.discontinuitySequence)")
    let highest = highestSequence
    if isNewLife { expect(new.mediaSequence >= highest, "H4: \(highest) went back to \(new.mediaSequence)") }
    if isNewStream {
      let end = old.mediaSequence + old.segments.count
      // Players know the number that was announced too, and on which timeline it would have been.
      expect(new.mediaSequence > end, "H4: segment \(new.mediaSequence) comes again, \(end) was hinted")
      let breaks = old.discontinuitySequence + old.segments.count { $0.discontinuity }
      expect(
        new.discontinuitySequence + (new.segments.first?.discontinuity == true ? 1 : 0) > breaks,
        "H7: a new timeline is number \(new.discontinuitySequence) after number \(breaks)")
    } else if !isNewLife {
      expect(old.targetDuration == new.targetDuration, "H1: the target duration changed")
      judgeCommon(old, new, isSameLife: true)
    }
  }

  /// H3, H4, H7 for what two versions have in common.
  private mutating func judgeCommon(_ old: MediaPlaylist, _ new: MediaPlaylist, isSameLife: Bool) {
    let (oldEnd, newEnd) = (old.mediaSequence + old.segments.count, new.mediaSequence + new.segments.count)
    expect(newEnd >= oldEnd, "H3: the newest segment was \(oldEnd - 1) and is \(newEnd - 1)")
    expect(
      !isSameLife || new.mediaSequence <= oldEnd, "H4: segments \(oldEnd)..<\(new.mediaSequence) were never listed")
    var (oldBreaks, newBreaks) = (old.discontinuitySequence, new.discontinuitySequence)
    for segment in new.segments.prefix(max(0, old.mediaSequence - new.mediaSequence)) where segment.discontinuity {
      newBreaks += 1
    }
    for segment in old.segments.prefix(max(0, new.mediaSequence - old.mediaSequence)) where segment.discontinuity {
      oldBreaks += 1
    }
    for number in max(old.mediaSequence, new.mediaSequence)..<max(new.mediaSequence, oldEnd) {
      guard newEnd > number else { break }
      let (before, after) = (old.segments[number - old.mediaSequence], new.segments[number - new.mediaSequence])
      oldBreaks += before.discontinuity ? 1 : 0
      newBreaks += after.discontinuity ? 1 : 0
      expect(
        (before.uri, before.duration, before.programDateTime) == (after.uri, after.duration, after.programDateTime)
          && before.discontinuity == after.discontinuity && before.map == after.map,
        "H3: segment \(number) was \(before.uri) and is \(after.uri)")
      expect(after.parts.isEmpty || after.parts == before.parts, "H3: the parts of \(number) changed")
    }
    expect(
      oldBreaks == newBreaks || new.mediaSequence >= oldEnd,
      "H7: \(oldBreaks) discontinuities became \(newBreaks) at segment \(oldEnd)")
    guard oldEnd >= new.mediaSequence, !old.trailingParts.isEmpty else { return }
    let parts = newEnd > oldEnd ? new.segments[oldEnd - new.mediaSequence].parts : new.trailingParts
    if !(parts.isEmpty && newEnd > oldEnd) {
      expect(
        parts.starts(with: old.trailingParts),
        "H3: the parts of \(oldEnd) were \(old.trailingParts.map(\.uri)) and are \(parts.map(\.uri))")
    }
    if isSameLife, old.trailingParts.isEmpty, let hint = old.preloadHint?.uri, let first = parts.first {
      expect(hint == first.uri, "L6: \(hint) was hinted at and \(first.uri) came")
    }
  }

  /// What is published ahead only goes on from what is published.
  private mutating func judgeAhead(_ ahead: MediaPlaylist, of playlist: MediaPlaylist) {
    judgeCommon(playlist, ahead, isSameLife: true)
  }
}
