import Media
import NIOCore
import Playlist

/// The newest part of a media playlist, read with as little work as a bench of hundreds of cameras needs.
struct NewestPart: Hashable, Sendable {
  /// The media sequence number of its segment, and its index there.
  let sequence: Int
  let index: Int
  /// The part's address, as it is listed.
  let address: String
  /// When it begins, as the playlist dates it (EXT-X-PROGRAM-DATE-TIME).
  let date: WallTime
  let length: Ticks

  /// The query of the blocking reload that waits for the part after it. A number behind the last part of a segment is
  /// taken for the first of the next one (rfc8216bis, section 6.2.5.2).
  var reload: String { "_HLS_msn=\(sequence)&_HLS_part=\(index + 1)&_HLS_skip=YES" }

  /// Reads a playlist; `nil` where it has no part with a date.
  init?(_ playlist: ByteBuffer) {
    var (first, segments, parts, inSegment) = (0, 0, 0, 0)
    var (date, sinceDate): (WallTime?, Ticks) = (nil, .zero)
    var newest: (sequence: Int, index: Int, line: Substring, date: WallTime, length: Ticks)?
    let text = String(buffer: playlist)
    for line in text.split(separator: "\n") where line.utf8.first == UInt8(ascii: "#") {
      if line.hasPrefix("#EXT-X-PART:") {
        let length = Self.value("DURATION=", in: line).flatMap { Ticks(seconds: $0) } ?? .zero
        if let date {
          newest = (first + segments, inSegment, line, date.advanced(by: sinceDate), length)
        }
        sinceDate = sinceDate + length
        parts += 1
        inSegment += 1
      } else if line.hasPrefix("#EXTINF:") {
        segments += 1
        inSegment = 0
      } else if line.hasPrefix("#EXT-X-PROGRAM-DATE-TIME:") {
        date = WallTime(iso8601: line.dropFirst("#EXT-X-PROGRAM-DATE-TIME:".count))
        sinceDate = .zero
      } else if line.hasPrefix("#EXT-X-MEDIA-SEQUENCE:") {
        first = Int(line.dropFirst("#EXT-X-MEDIA-SEQUENCE:".count)) ?? 0
      } else if line.hasPrefix("#EXT-X-SKIP:") {
        segments += Self.value("SKIPPED-SEGMENTS=", in: line).flatMap { Int($0) } ?? 0
      }
    }
    guard let newest, let address = Self.value("URI=\"", in: newest.line) else { return nil }
    (sequence, index, self.date, length) = (newest.sequence, newest.index, newest.date, newest.length)
    self.address = String(address)
  }

  /// What stands behind a name, up to a comma or a quotation mark.
  private static func value(_ name: String, in line: Substring) -> Substring? {
    guard let place = line.range(of: name) else { return nil }
    return line[place.upperBound...].prefix { $0 != "," && $0 != "\"" && $0 != "\r" }
  }
}

extension Substring {
  /// Where a text stands in it first.
  fileprivate func range(of text: String) -> Range<Index>? {
    var place = startIndex
    while place < endIndex {
      if self[place...].hasPrefix(text) { return place..<index(place, offsetBy: text.count) }
      place = index(after: place)
    }
    return nil
  }
}
