import Media
import Playlist

/// Plays a low-latency stream with one request for each part and no playlist in between: the server holds a request for
/// the hinted part until the part exists (RFC 8216bis, section 6.2.6), and the next names follow by counting.
struct HintWatching: Watching {
  /// The path of the multivariant playlist.
  let path: String

  func watch(_ tab: Tab) async throws {
    let (mediaPath, playlist) = try await StreamWatching.open(path, tab)
    guard let hint = playlist.preloadHint, let partTarget = playlist.partTarget else {
      throw WireError.unreadable("it hints no part", path: mediaPath)
    }
    let loader = PieceLoader(tab: tab, picturesPerSegment: nil)
    var list = PieceList(path: mediaPath)
    var last: PieceList.Piece?
    for piece in list.begin(playlist) {
      try await loader.load(piece)
      last = piece
    }
    let partsPerSegment = Int(Ticks.seconds(Int64(playlist.targetDuration)).floorDivided(by: partTarget))
    guard var name = PartName(hint.uri), let last else {
      throw WireError.unreadable("the hint \(hint.uri) has no number to count on from", path: mediaPath)
    }
    var date = last.date?.advanced(by: last.duration)
    while true {
      try await loader.load(
        PieceList.Piece(
          sequence: name.sequence, part: name.part, path: resolve(name.text, from: mediaPath), mapPath: last.mapPath,
          duration: partTarget, date: date))
      date = date?.advanced(by: partTarget)
      name.advance(partsPerSegment: partsPerSegment)
    }
  }
}

/// The name of a part, `SEGMENT.PART.mp4`, whose next name follows by counting.
struct PartName {
  private(set) var sequence: Int
  private(set) var part: Int
  private let ending: Substring

  /// Reads a name; `nil` if it has another form.
  init?(_ text: String) {
    let pieces = text.split(separator: ".")
    guard pieces.count == 3, let sequence = Int(pieces[0]), let part = Int(pieces[1]) else { return nil }
    (self.sequence, self.part, ending) = (sequence, part, pieces[2])
  }

  var text: String { "\(sequence).\(part).\(ending)" }

  mutating func advance(partsPerSegment: Int) {
    part += 1
    if part >= partsPerSegment { (sequence, part) = (sequence + 1, 0) }
  }
}
