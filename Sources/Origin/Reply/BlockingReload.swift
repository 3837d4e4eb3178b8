import Media
import Packager

/// The delivery directives of a playlist request (rfc8216bis, section 6.2.5), and what they require.
struct BlockingReload: Hashable {
  /// `_HLS_msn`: the segment that must be in the playlist.
  var sequence: Int?
  /// `_HLS_part`: the part of it that is enough.
  var part: Int?
  /// `_HLS_skip`: a delta update is enough.
  var takesDelta = false

  /// Why a request is answered 400.
  struct Refusal: Error, Hashable {
    /// What is wrong, as one sentence.
    let detail: String
  }

  /// Reads the directives of a query; other parameters are ignored.
  init(query: Substring) throws(Refusal) {
    for parameter in query.split(separator: "&") {
      let pieces = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      switch pieces[0] {
      case "_HLS_msn": sequence = try Self.number(pieces)
      case "_HLS_part": part = try Self.number(pieces)
      case "_HLS_skip": takesDelta = pieces.count == 2 && (pieces[1] == "YES" || pieces[1] == "v2")
      default: break
      }
    }
    if part != nil, sequence == nil { throw Refusal(detail: "_HLS_part needs _HLS_msn; send both") }
  }

  /// Whether there is any directive.
  var isEmpty: Bool { sequence == nil && !takesDelta }

  private static func number(_ pieces: [Substring]) throws(Refusal) -> Int {
    guard pieces.count == 2, (1...15).contains(pieces[1].utf8.count),
      pieces[1].utf8.allSatisfy({ (48...57).contains($0) }),
      let number = Int(pieces[1])
    else {
      throw Refusal(
        detail: "\(pieces[0]) is \"\(pieces.count == 2 ? pieces[1].prefix(20) : "")\"; send a decimal number")
    }
    return number
  }

  /// The part that must be published before the answer is sent; `nil` if there is nothing to wait for.
  ///
  /// - Throws: if the request is too far ahead: more than two segments past the newest one, or more parts past the
  ///   newest one than fit into three part targets or three seconds.
  func target(newest: PartPosition, timeline: TimelineSettings) throws(Refusal) -> PartPosition? {
    guard let sequence else { return nil }
    guard sequence <= newest.sequence + 2 else {
      throw Refusal(detail: "_HLS_msn=\(sequence) is too far ahead; the newest segment is \(newest.sequence)")
    }
    let wanted = part ?? timeline.partsPerSegment - 1
    let limit = max(3, Int((Ticks.seconds(3) + timeline.part - Ticks(1)).floorDivided(by: timeline.part)))
    let known = sequence > newest.sequence ? 0 : newest.part
    if part != nil, sequence >= newest.sequence, wanted > known + limit, wanted < timeline.partsPerSegment {
      throw Refusal(detail: "_HLS_part=\(wanted) is too far ahead; the newest part is \(newest.part)")
    }
    let position =
      wanted < timeline.partsPerSegment
      ? PartPosition(sequence: sequence, part: wanted) : PartPosition(sequence: sequence + 1, part: 0)
    return position <= newest ? nil : position
  }
}
