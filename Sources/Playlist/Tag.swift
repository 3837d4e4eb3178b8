/// The tags of rfc8216bis, section 4.4, with the rules for each: one table for parser and renderer.
enum Tag: String, CaseIterable {
  case m3u = "EXTM3U"
  case version = "EXT-X-VERSION"

  case independentSegments = "EXT-X-INDEPENDENT-SEGMENTS"
  case start = "EXT-X-START"
  case define = "EXT-X-DEFINE"

  case targetDuration = "EXT-X-TARGETDURATION"
  case mediaSequence = "EXT-X-MEDIA-SEQUENCE"
  case discontinuitySequence = "EXT-X-DISCONTINUITY-SEQUENCE"
  case endList = "EXT-X-ENDLIST"
  case playlistType = "EXT-X-PLAYLIST-TYPE"
  case iFramesOnly = "EXT-X-I-FRAMES-ONLY"
  case partInf = "EXT-X-PART-INF"
  case serverControl = "EXT-X-SERVER-CONTROL"

  case inf = "EXTINF"
  case byteRange = "EXT-X-BYTERANGE"
  case discontinuity = "EXT-X-DISCONTINUITY"
  case key = "EXT-X-KEY"
  case map = "EXT-X-MAP"
  case programDateTime = "EXT-X-PROGRAM-DATE-TIME"
  case gap = "EXT-X-GAP"
  case bitrate = "EXT-X-BITRATE"
  case part = "EXT-X-PART"

  case dateRange = "EXT-X-DATERANGE"
  case skip = "EXT-X-SKIP"
  case preloadHint = "EXT-X-PRELOAD-HINT"
  case renditionReport = "EXT-X-RENDITION-REPORT"

  case media = "EXT-X-MEDIA"
  case streamInf = "EXT-X-STREAM-INF"
  case iFrameStreamInf = "EXT-X-I-FRAME-STREAM-INF"
  case sessionData = "EXT-X-SESSION-DATA"
  case sessionKey = "EXT-X-SESSION-KEY"
  case contentSteering = "EXT-X-CONTENT-STEERING"

  /// The playlists that can have a tag.
  enum Home: String { case any, media, multivariant }

  /// What follows the tag's name.
  enum Content { case nothing, text, attributes }

  /// How often a tag is allowed in a playlist, or for one segment.
  enum Times { case once, oncePerSegment, many }

  /// The rules of a tag.
  struct Rule {
    let section: String
    let home: Home
    let content: Content
    let times: Times
    /// Whether the tag has a property in our types; otherwise the parser ignores it.
    let isModelled: Bool

    init(_ section: String, _ home: Home, _ content: Content, _ times: Times, isModelled: Bool = true) {
      self.section = section
      self.home = home
      self.content = content
      self.times = times
      self.isModelled = isModelled
    }
  }

  /// The table.
  var rule: Rule {
    switch self {
    case .m3u: Rule("4.4.1.1", .any, .nothing, .once)
    case .version: Rule("4.4.1.2", .any, .text, .once)
    case .independentSegments: Rule("4.4.2.1", .any, .nothing, .once)
    case .start: Rule("4.4.2.2", .any, .attributes, .once, isModelled: false)
    case .define: Rule("4.4.2.3", .any, .attributes, .many, isModelled: false)
    case .targetDuration: Rule("4.4.3.1", .media, .text, .once)
    case .mediaSequence: Rule("4.4.3.2", .media, .text, .once)
    case .discontinuitySequence: Rule("4.4.3.3", .media, .text, .once)
    case .endList: Rule("4.4.3.4", .media, .nothing, .once)
    case .playlistType: Rule("4.4.3.5", .media, .text, .once)
    case .iFramesOnly: Rule("4.4.3.6", .media, .nothing, .once, isModelled: false)
    case .partInf: Rule("4.4.3.7", .media, .attributes, .once)
    case .serverControl: Rule("4.4.3.8", .media, .attributes, .once)
    case .inf: Rule("4.4.4.1", .media, .text, .oncePerSegment)
    case .byteRange: Rule("4.4.4.2", .media, .text, .oncePerSegment)
    case .discontinuity: Rule("4.4.4.3", .media, .nothing, .oncePerSegment)
    case .key: Rule("4.4.4.4", .media, .attributes, .many, isModelled: false)
    case .map: Rule("4.4.4.5", .media, .attributes, .oncePerSegment)
    case .programDateTime: Rule("4.4.4.6", .media, .text, .oncePerSegment)
    case .gap: Rule("4.4.4.7", .media, .nothing, .oncePerSegment)
    case .bitrate: Rule("4.4.4.8", .media, .text, .many, isModelled: false)
    case .part: Rule("4.4.4.9", .media, .attributes, .many)
    case .dateRange: Rule("4.4.5.1", .media, .attributes, .many)
    case .skip: Rule("4.4.5.2", .media, .attributes, .once)
    case .preloadHint: Rule("4.4.5.3", .media, .attributes, .many)
    case .renditionReport: Rule("4.4.5.4", .media, .attributes, .many)
    case .media: Rule("4.4.6.1", .multivariant, .attributes, .many, isModelled: false)
    case .streamInf: Rule("4.4.6.2", .multivariant, .attributes, .many)
    case .iFrameStreamInf: Rule("4.4.6.3", .multivariant, .attributes, .many, isModelled: false)
    case .sessionData: Rule("4.4.6.4", .multivariant, .attributes, .many, isModelled: false)
    case .sessionKey: Rule("4.4.6.5", .multivariant, .attributes, .many, isModelled: false)
    case .contentSteering: Rule("4.4.6.6", .multivariant, .attributes, .once, isModelled: false)
    }
  }

  /// Tags by their name.
  static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}
