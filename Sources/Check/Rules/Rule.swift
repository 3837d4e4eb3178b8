/// A rule for live streams, by its number in Quietcam's list of HLS rules.
///
/// `H` is about any live playlist, `L` about low latency, `D` about delivery over HTTP, `P` about the form of a
/// playlist and `M` about the media. Sections are those of rfc8216bis (draft 22) unless another document is named;
/// "Apple" is Apple's HLS authoring specification.
package enum Rule: String, CaseIterable, Sendable {
  case form = "P1"
  case targetDuration = "H1"
  case pace = "H2"
  case appending = "H3"
  case mediaSequence = "H4"
  case window = "H5"
  case availability = "H6"
  case discontinuity = "H7"
  case splice = "H8"
  case programDateTime = "H9"
  case independence = "H10"
  case liveness = "H11"
  case dateRange = "H13"
  case variant = "H14"
  case partDuration = "L1"
  case serverControl = "L2"
  case blockingReload = "L3"
  case refusal = "L4"
  case delta = "L5"
  case preloadHint = "L6"
  case renditionReport = "L7"
  case openSegment = "L8"
  case types = "D1"
  case mediaCaching = "D2"
  case playlistCaching = "D3"
  case compression = "D4"
  case access = "D5"
  case fetchable = "D6"
  case timing = "M1"
  case declaration = "M2"

  /// The weight of a broken rule.
  package enum Severity: String, Sendable, Comparable {
    /// Good practice, or Apple's advice; the stream plays, but not everywhere equally well.
    case should
    /// Required by the specification; players may fail.
    case must

    /// Orders by weight.
    package static func < (left: Severity, right: Severity) -> Bool { left == .should && right == .must }
  }

  /// What the rule requires, its weight if a finding does not say otherwise, and where it is written.
  struct Text {
    let title: String
    let section: String
    let severity: Severity

    init(_ title: String, _ section: String, _ severity: Severity = .must) {
      self.title = title
      self.section = section
      self.severity = severity
    }
  }

  var text: Text {
    switch self {
    case .form: Text("playlists have the form of the specification", "4")
    case .targetDuration: Text("the target duration never changes and is at least every EXTINF", "4.4.3.1")
    case .pace: Text("a new segment within 1.5 target durations, a new part within one part target", "6.2.1")
    case .appending: Text("playlists change by appending and by removing from the front only", "6.2.1")
    case .mediaSequence: Text("the media sequence rises by one for each removed segment, never back", "6.2.2")
    case .window: Text("the window holds three target durations and six segments", "6.2.2")
    case .availability: Text("what left the playlist can be fetched for its time", "6.2.2")
    case .discontinuity: Text("changes have EXT-X-DISCONTINUITY, and the discontinuity sequence counts them", "6.2.2")
    case .splice: Text("a new EXT-X-MAP comes after a discontinuity and before the parts", "4.4.4.5")
    case .programDateTime: Text("dates in every playlist, never ambiguous", "4.4.4.6; Apple 8.4", .should)
    case .independence: Text("segments are independent and begin with an IDR picture", "4.4.2.1; Apple 7.4, 9.11")
    case .liveness: Text("no type, no end and no needless version while live", "4.4.3.4, 4.4.3.5", .should)
    case .dateRange: Text("the id of a date range is never used for another one", "4.4.5.1")
    case .variant:
      Text("the multivariant playlist says what the variants need, and it is true", "4.4.6.2; Apple 1.28, 1.29")
    case .partDuration: Text("parts last 85 to 100 % of the part target and are listed near the end only", "4.4.4.9")
    case .serverControl: Text("the server's promises are there and large enough", "4.4.3.8; Apple 14.3")
    case .blockingReload: Text("a blocking reload answers with what was asked for, a stale one at once", "6.2.5.2")
    case .refusal: Text("bad delivery directives and names never hinted are refused, uncached", "6.2.5.2", .should)
    case .delta: Text("a delta update gives the full playlist", "6.2.5.1")
    case .preloadHint: Text("the next part is hinted, can be requested at once and comes in one piece", "6.2.6")
    case .renditionReport: Text("every other rendition is reported", "4.4.5.4")
    case .openSegment:
      Text(
        "a segment that a link announces comes while it is made, part by part, with the bytes of the whole",
        "Quietcam's handbook, latency")
    case .types: Text("every resource has its media type", "4, 10", .should)
    case .mediaCaching:
      Text("media may be cached for long, under names that are never reused", "RFC 9111, 5.2.2", .should)
    case .playlistCaching:
      Text("playlists are cached no longer than they are the newest", "6.2.5.2; RFC 9111, 5.2.2", .should)
    case .compression:
      Text("playlists are gzipped for clients that accept it, and for no others", "RFC 9110, 12.5.3", .should)
    case .access: Text("CORS, HEAD, Range and conditional requests work", "RFC 9110, 9.3.2, 13, 14; Fetch 3.2", .should)
    case .fetchable: Text("everything that a playlist lists can be fetched at once", "6.2.1")
    case .timing: Text("timestamps continue from segment to segment and agree with EXTINF and PART", "3, 4.4.4.1")
    case .declaration: Text("init segment and parameter sets agree with the playlists", "3.1.2; Apple 1.10")
    }
  }

  /// What the rule requires, in one line.
  package var title: String { text.title }
  /// Where it is written.
  package var section: String { text.section }
  /// Its weight, unless a finding says otherwise.
  package var severity: Severity { text.severity }
}
