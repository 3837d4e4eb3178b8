import Media
import NIOCore

extension MediaPlaylist {
  /// Reads a media playlist; see `parse(_:warnings:)`.
  package static func parse(_ bytes: ByteBuffer) throws(PlaylistError) -> MediaPlaylist {
    var warnings: [PlaylistError] = []
    return try parse(bytes, warnings: &warnings)
  }

  /// Reads a media playlist; see `parse(_:warnings:)`.
  package static func parse(_ text: some StringProtocol) throws(PlaylistError) -> MediaPlaylist {
    try parse(ByteBuffer(substring: Substring(text)))
  }

  /// Reads a media playlist strictly and adds to `warnings` what was ignored or is unusual.
  ///
  /// Throws for everything that breaks the form of a playlist in rfc8216bis, section 4, also for a version lower than
  /// the tags need (section 8), and for more than 1 MiB, lines over 16 KiB and numbers over 2^61. Unknown tags and
  /// attributes are ignored (section 6.3.1). The relation of durations to target and part target, and everything that
  /// needs two versions of a playlist, is not checked here. There is a warning for each ignored tag, for a version
  /// higher than needed, for a repeated preload hint, and for a missing EXT-X-DISCONTINUITY-SEQUENCE in a live
  /// playlist.
  package static func parse(_ bytes: ByteBuffer, warnings: inout [PlaylistError]) throws(PlaylistError) -> MediaPlaylist
  {
    var parser = try MediaPlaylistParser(Array(bytes.readableBytesView))
    let playlist = try parser.parse()
    warnings += parser.warnings
    return playlist
  }
}

/// Collects the tags of a segment until its address comes.
private struct MediaPlaylistParser {
  private var reader: PlaylistReader
  private var playlist = MediaPlaylist(targetDuration: 0)
  private var map: MediaPlaylist.Map?
  private var pending = Pending()
  /// The last sub-range without a gap after it: a byte range without an offset continues it.
  private var lastRangeURI: String?
  private var datedIDs: Set<String> = []

  /// What was read since the last segment.
  private struct Pending {
    var lines: [Tag: Int] = [:]
    var segment = MediaPlaylist.Segment(uri: "", duration: .zero)
  }

  var warnings: [PlaylistError] { reader.warnings }

  init(_ bytes: [UInt8]) throws(PlaylistError) {
    reader = try PlaylistReader(bytes, home: .media)
  }

  mutating func parse() throws(PlaylistError) -> MediaPlaylist {
    while let item = try reader.next() {
      switch item {
      case .uri(let uri): try add(uri)
      case .tag(let tag, let content):
        if tag.rule.times == .oncePerSegment { try check(tag) }
        try read(tag, content)
      }
    }
    try finish()
    return playlist
  }

  // MARK: Tags

  private mutating func read(_ tag: Tag, _ content: ArraySlice<UInt8>) throws(PlaylistError) {
    switch tag {
    case .independentSegments: playlist.independentSegments = true
    case .endList: playlist.endList = true
    case .discontinuity: pending.segment.discontinuity = true
    case .gap: pending.segment.gap = true
    case .inf: try readInf(content)
    case .byteRange: try readByteRange(content)
    case .programDateTime: try readDate(content)
    case .map:
      map = try .init(reader.attributes(content, of: tag))
      reader.need(version: reader.firstLine(of: .iFramesOnly) == nil ? 6 : 5, for: tag, "the tag")
    case .part: pending.segment.parts.append(try .init(reader.attributes(content, of: tag)))
    case .preloadHint: try readHint(content)
    case .renditionReport: playlist.renditionReports.append(try .init(reader.attributes(content, of: tag)))
    case .dateRange: try readDateRange(content)
    default: try readHeader(tag, content)
    }
  }

  private mutating func readHeader(_ tag: Tag, _ content: ArraySlice<UInt8>) throws(PlaylistError) {
    switch tag {
    case .targetDuration:
      playlist.targetDuration = try reader.integer(content, of: tag, upTo: Decimal.longestSeconds)
      guard playlist.targetDuration >= 1 else { throw reader.fail(tag, "the target duration must be 1 or more") }
    case .mediaSequence:
      try checkNoSegment(before: tag)
      playlist.mediaSequence = try reader.integer(content, of: tag)
    case .discontinuitySequence:
      try checkNoSegment(before: tag)
      playlist.discontinuitySequence = try reader.integer(content, of: tag)
    case .playlistType:
      guard let type = MediaPlaylist.PlaylistType(rawValue: String(decoding: content, as: UTF8.self)) else {
        throw reader.fail(tag, "\(String(decoding: content, as: UTF8.self).brief) is neither EVENT nor VOD")
      }
      playlist.playlistType = type
    case .serverControl:
      let control = try MediaPlaylist.ServerControl(reader.attributes(content, of: tag))
      playlist.serverControl = control.isEmpty ? nil : control
    case .partInf:
      let list = try reader.attributes(content, of: tag)
      playlist.partTarget = try list.required("PART-TARGET", list.seconds("PART-TARGET"))
    case .skip:
      try checkNoSegment(before: tag)
      let list = try reader.attributes(content, of: tag)
      playlist.skipped = try list.required("SKIPPED-SEGMENTS", list.integer("SKIPPED-SEGMENTS"))
      guard try list.quoted("RECENTLY-REMOVED-DATERANGES") == nil else {
        throw list.fail("an update that skips date ranges is not read by Quietcam; ask with _HLS_skip=YES")
      }
      reader.need(version: 9, for: tag, "the tag")
    default: preconditionFailure("\(tag.rawValue) is modelled in a media playlist but never read")
    }
  }

  private mutating func readInf(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    let number = content.prefix { $0 != UInt8(ascii: ",") }
    let text = String(decoding: number, as: UTF8.self)
    guard let duration = Decimal.seconds(number) else {
      throw reader.fail(.inf, "the duration \(text.brief) is not a decimal number of seconds from 0 to 100000000")
    }
    guard number.endIndex < content.endIndex else {
      throw reader.fail(.inf, "a comma must follow the duration, also where there is no title")
    }
    if number.contains(UInt8(ascii: ".")) {
      reader.need(version: 3, for: .inf, "a duration that is not a whole number")
    }
    pending.segment.duration = duration
    let title = content[number.endIndex...].dropFirst()
    pending.segment.title =
      title.allSatisfy { $0 == UInt8(ascii: " ") } ? nil : String(decoding: title, as: UTF8.self)
  }

  private mutating func readByteRange(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    guard let range = MediaPlaylist.ByteRange(parsing: content) else {
      throw reader.fail(
        .byteRange, "\(String(decoding: content, as: UTF8.self).brief) is not a byte range such as 1000@200")
    }
    pending.segment.byteRange = range
    reader.need(version: 4, for: .byteRange, "the tag")
  }

  private mutating func readDate(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    let text = String(decoding: content, as: UTF8.self)
    guard let time = WallTime(iso8601: text) else {
      throw reader.fail(.programDateTime, "\(text.brief) is not a date such as 2026-11-21T09:30:00.250Z")
    }
    pending.segment.programDateTime = time
  }

  private mutating func readHint(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    let list = try reader.attributes(content, of: .preloadHint)
    let type = try list.required("TYPE", list.enumerated("TYPE"))
    let hint = try MediaPlaylist.PreloadHint(list)
    switch MediaPlaylist.PreloadHint.Kind(rawValue: type) {
    case .part where playlist.preloadHint == nil: playlist.preloadHint = hint
    case .map where playlist.mapPreloadHint == nil: playlist.mapPreloadHint = hint
    case nil: reader.warn(.preloadHint, "the TYPE \(type.brief) is unknown and the hint was ignored")
    default: reader.warn(.preloadHint, "a second hint with TYPE=\(type) was ignored")
    }
  }

  private mutating func readDateRange(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    let range = try MediaPlaylist.DateRange(reader.attributes(content, of: .dateRange))
    if range.startDate != nil {
      datedIDs.insert(range.id)
    } else if !datedIDs.contains(range.id) {
      throw reader.fail(
        .dateRange, "the attribute START-DATE is missing, and no earlier tag with the ID \(range.id.brief) has it")
    }
    playlist.dateRanges.append(range)
  }

  // MARK: Order

  /// A tag is allowed once for each segment, and before its parts if it applies to them too.
  private mutating func check(_ tag: Tag) throws(PlaylistError) {
    if let line = pending.lines[tag] {
      throw reader.fail(tag, "the tag is on line \(line) too, for the same segment; keep one")
    }
    if !pending.segment.parts.isEmpty, [.discontinuity, .map, .programDateTime].contains(tag) {
      throw reader.fail(tag, "the tag must be before the first EXT-X-PART of its segment")
    }
    pending.lines[tag] = reader.line
  }

  private func checkNoSegment(before tag: Tag) throws(PlaylistError) {
    guard playlist.segments.isEmpty, pending.segment.parts.isEmpty, pending.lines.isEmpty else {
      throw reader.fail(tag, "the tag must be before the first segment and its tags")
    }
  }

  private mutating func add(_ uri: String) throws(PlaylistError) {
    guard pending.lines[.inf] != nil else {
      throw PlaylistError(
        line: reader.line, tag: Tag.inf.rawValue, "the segment \(uri.brief) has no EXTINF before it",
        section: Tag.inf.rule.section)
    }
    if let range = pending.segment.byteRange, range.offset == nil, lastRangeURI != uri {
      throw reader.fail(
        .byteRange, line: pending.lines[.byteRange] ?? reader.line,
        "without an offset, the segment before must be a byte range of the same address")
    }
    lastRangeURI = pending.segment.byteRange == nil ? nil : uri
    pending.segment.uri = uri
    pending.segment.map = map
    playlist.segments.append(pending.segment)
    pending = Pending()
  }

  private mutating func finish() throws(PlaylistError) {
    for tag in [Tag.inf, .byteRange, .gap] {
      if let line = pending.lines[tag] { throw reader.fail(tag, line: line, "no segment's address follows the tag") }
    }
    playlist.trailingParts = pending.segment.parts
    playlist.trailingDiscontinuity = pending.segment.discontinuity
    playlist.trailingProgramDateTime = pending.segment.programDateTime
    // A map that only the next segment will need is set only if it is a new one.
    let isTrailing = !pending.segment.parts.isEmpty || !pending.lines.filter { $0.key != .map }.isEmpty
    if isTrailing || map != playlist.segments.last?.map { playlist.trailingMap = map }
    guard reader.firstLine(of: .targetDuration) != nil else {
      throw reader.fail(.targetDuration, line: 0, "the tag is missing; every media playlist needs it")
    }
    if let line = reader.firstLine(of: .part), playlist.partTarget == nil {
      throw reader.fail(.part, line: line, "parts need EXT-X-PART-INF in the playlist")
    }
    if let line = reader.firstLine(of: .preloadHint), playlist.endList {
      throw reader.fail(.preloadHint, line: line, "a playlist with EXT-X-ENDLIST must not have a hint")
    }
    if !playlist.endList, reader.firstLine(of: .discontinuitySequence) == nil {
      reader.warn(
        .discontinuitySequence, line: 0, "the tag is missing; a live playlist needs it before it can ever rise")
    }
    try reader.checkVersion()
  }
}
