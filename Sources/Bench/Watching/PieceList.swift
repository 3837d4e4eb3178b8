import Media
import Playlist

/// What a player loads of a live playlist, in order and each item once, by the rules of hls.js 1.6.
struct PieceList {
  /// A part or a segment to be loaded.
  struct Piece: Sendable {
    /// The number of its segment.
    let sequence: Int
    /// Its index in that segment; `nil` for the whole segment.
    let part: Int?
    let path: String
    let mapPath: String?
    let duration: Ticks
    let date: WallTime?
  }

  private let path: String
  private var last: (sequence: Int, part: Int)?
  private var nextDate: WallTime?
  private var map: MediaPlaylist.Map?

  /// The pieces of the playlist at a path.
  init(path: String) { self.path = path }

  /// What the first version makes a player load: everything since the start of the segment that is the hold-back behind
  /// the end, by parts if they are listed. A decoder cannot begin elsewhere.
  mutating func begin(_ playlist: MediaPlaylist) -> [Piece] {
    let hasParts = playlist.partTarget != nil && playlist.preloadHint != nil
    let control = playlist.serverControl
    let target = Ticks.seconds(Int64(playlist.targetDuration))
    let held = hasParts ? control?.partHoldBack ?? target * 3 : control?.holdBack ?? target * 3
    let all = pieces(of: playlist)
    var behind = Ticks.zero
    var first = all.count
    while first > 0, behind < held {
      first -= 1
      behind += all[first].duration
    }
    while first > 0, all[first - 1].sequence == all[min(first, all.count - 1)].sequence { first -= 1 }
    note(all)
    return Array(all[first...])
  }

  /// What a later version adds.
  mutating func take(_ playlist: MediaPlaylist) -> [Piece] {
    guard let last else { return begin(playlist) }
    let new = pieces(of: playlist).filter { ($0.sequence, $0.part ?? .max) > (last.sequence, last.part) }
      // A segment that was loaded by parts is not loaded again when its parts are no longer listed.
      .filter { $0.part != nil || $0.sequence > last.sequence }
    note(new)
    return new
  }

  private mutating func note(_ pieces: [Piece]) {
    if let end = pieces.last { last = (end.sequence, end.part ?? .max) }
  }

  private mutating func pieces(of playlist: MediaPlaylist) -> [Piece] {
    var pieces: [Piece] = []
    var date: WallTime?
    func add(_ sequence: Int, _ part: Int?, _ uri: String, _ duration: Ticks) {
      pieces.append(
        Piece(
          sequence: sequence, part: part, path: resolve(uri, from: path),
          mapPath: map.map { resolve($0.uri, from: path) }, duration: duration, date: date))
      date = date?.advanced(by: duration)
    }
    for (index, segment) in playlist.segments.enumerated() where !segment.gap {
      let sequence = playlist.mediaSequence + (playlist.skipped ?? 0) + index
      date = segment.programDateTime ?? date
      map = segment.map ?? map
      if segment.parts.isEmpty { add(sequence, nil, segment.uri, segment.duration) }
      for (number, part) in segment.parts.enumerated() { add(sequence, number, part.uri, part.duration) }
    }
    map = playlist.trailingMap ?? map
    date = playlist.trailingProgramDateTime ?? date
    for (number, part) in playlist.trailingParts.enumerated() { add(playlist.end, number, part.uri, part.duration) }
    return pieces
  }
}

extension MediaPlaylist {
  /// The number after the last complete segment.
  var end: Int { mediaSequence + (skipped ?? 0) + segments.count }

  /// The query of hls.js's next blocking reload; `nil` if the server does not hold requests.
  var reloadQuery: String? {
    guard let serverControl, serverControl.canBlockReload else { return nil }
    var query = "_HLS_msn=\(end)"
    if partTarget != nil, preloadHint != nil { query += "&_HLS_part=\(trailingParts.count)" }
    if serverControl.canSkipUntil != nil { query += "&_HLS_skip=YES" }
    return query
  }
}
