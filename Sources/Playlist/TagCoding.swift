import Media

// The tags with attribute lists. Both directions are side by side, so that they know the same attributes.

extension MediaPlaylist.ServerControl {
  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(
      canBlockReload: try list.flag("CAN-BLOCK-RELOAD"),
      canSkipUntil: try list.seconds("CAN-SKIP-UNTIL"),
      holdBack: try list.seconds("HOLD-BACK"),
      partHoldBack: try list.seconds("PART-HOLD-BACK"),
      canSkipDateRanges: try list.flag("CAN-SKIP-DATERANGES"))
    if canSkipDateRanges, canSkipUntil == nil { throw list.fail("CAN-SKIP-DATERANGES needs CAN-SKIP-UNTIL beside it") }
  }

  /// An attribute list cannot be empty, so the tag is left out if there is no attribute.
  var isEmpty: Bool { self == .init() }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.serverControl)
    writer.flag("CAN-BLOCK-RELOAD", canBlockReload)
    if let canSkipUntil { writer.attribute("CAN-SKIP-UNTIL", canSkipUntil) }
    writer.flag("CAN-SKIP-DATERANGES", canSkipDateRanges)
    if let holdBack { writer.attribute("HOLD-BACK", holdBack) }
    if let partHoldBack { writer.attribute("PART-HOLD-BACK", partHoldBack) }
    writer.end()
  }
}

extension MediaPlaylist.Map {
  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(uri: try list.uri(), byteRange: try list.byteRange("BYTERANGE"))
    if let byteRange, byteRange.offset == nil {
      throw list.fail("the BYTERANGE of a map needs its offset too, such as 720@0")
    }
  }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.map)
    writer.attribute("URI", uri: uri)
    if let byteRange { writer.attribute("BYTERANGE", byteRange) }
    writer.end()
  }
}

extension MediaPlaylist.Part {
  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(
      uri: try list.uri(),
      duration: try list.required("DURATION", list.seconds("DURATION")),
      independent: try list.flag("INDEPENDENT"),
      gap: try list.flag("GAP"),
      byteRange: try list.byteRange("BYTERANGE"))
  }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.part)
    writer.attribute("DURATION", duration)
    writer.attribute("URI", uri: uri)
    if let byteRange { writer.attribute("BYTERANGE", byteRange) }
    writer.flag("INDEPENDENT", independent)
    writer.flag("GAP", gap)
    writer.end()
  }
}

extension MediaPlaylist.PreloadHint {
  /// What the hint names.
  enum Kind: String { case part = "PART", map = "MAP" }

  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(
      uri: try list.uri(),
      byteRangeStart: try list.integer("BYTERANGE-START") ?? 0,
      byteRangeLength: try list.integer("BYTERANGE-LENGTH"))
  }

  func write(_ kind: Kind, to writer: inout PlaylistWriter) {
    writer.begin(.preloadHint)
    writer.attribute("TYPE", bare: kind.rawValue)
    writer.attribute("URI", uri: uri)
    if byteRangeStart != 0 { writer.attribute("BYTERANGE-START", byteRangeStart) }
    if let byteRangeLength { writer.attribute("BYTERANGE-LENGTH", byteRangeLength) }
    writer.end()
  }
}

extension MediaPlaylist.RenditionReport {
  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(
      uri: try list.uri(), lastMediaSequence: try list.integer("LAST-MSN"), lastPart: try list.integer("LAST-PART"))
  }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.renditionReport)
    writer.attribute("URI", uri: uri)
    if let lastMediaSequence { writer.attribute("LAST-MSN", lastMediaSequence) }
    if let lastPart { writer.attribute("LAST-PART", lastPart) }
    writer.end()
  }
}

extension MediaPlaylist.DateRange {
  init(_ list: AttributeList) throws(PlaylistError) {
    self.init(
      id: try list.required("ID", list.quoted("ID")),
      startDate: try list.date("START-DATE"),
      classification: try list.quoted("CLASS"),
      endDate: try list.date("END-DATE"),
      duration: try list.seconds("DURATION"),
      plannedDuration: try list.seconds("PLANNED-DURATION"),
      endOnNext: try list.flag("END-ON-NEXT"))
    if let startDate, let endDate, endDate < startDate { throw list.fail("END-DATE lies before START-DATE") }
    if endOnNext, classification == nil { throw list.fail("END-ON-NEXT needs CLASS beside it") }
    if endOnNext, duration != nil || endDate != nil {
      throw list.fail("END-ON-NEXT excludes DURATION and END-DATE; remove one of them")
    }
    for attribute in list.attributes where attribute.name.hasPrefix("X-") {
      let utf8 = attribute.value.utf8
      guard attribute.isQuoted || Decimal.isSignedDecimal(utf8) || Decimal.isHexadecimal(utf8) else {
        throw list.fail("the value \(attribute.value.brief) of \(attribute.name) is not a number; put it in quotes")
      }
      clientAttributes.append(
        .init(name: attribute.name, value: attribute.isQuoted ? .quoted(attribute.value) : .bare(attribute.value)))
    }
  }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.dateRange)
    writer.attribute("ID", quoted: id)
    if let classification { writer.attribute("CLASS", quoted: classification) }
    if let startDate { writer.attribute("START-DATE", startDate) }
    if let endDate { writer.attribute("END-DATE", endDate) }
    if let duration { writer.attribute("DURATION", duration) }
    if let plannedDuration { writer.attribute("PLANNED-DURATION", plannedDuration) }
    for attribute in clientAttributes { writer.attribute(attribute) }
    writer.flag("END-ON-NEXT", endOnNext)
    writer.end()
  }
}

extension MultivariantPlaylist.Variant {
  init(_ list: AttributeList, uri: String) throws(PlaylistError) {
    self.init(
      uri: uri,
      bandwidth: try list.required("BANDWIDTH", list.integer("BANDWIDTH")),
      averageBandwidth: try list.integer("AVERAGE-BANDWIDTH"),
      codecs: try list.quoted("CODECS"),
      resolution: try list.resolution("RESOLUTION"))
    if let text = try list.enumerated("FRAME-RATE") {
      guard let thousandths = Decimal.scaled(text.utf8, by: 1_000) else {
        throw list.fail("the value \(text.brief) of FRAME-RATE is not a decimal number such as 29.970")
      }
      frameRate = .init(thousandths: Int(thousandths))
    }
    if let text = try list.enumerated("VIDEO-RANGE") {
      guard let range = MultivariantPlaylist.VideoRange(rawValue: text) else {
        throw list.fail("the value \(text.brief) of VIDEO-RANGE is none of SDR, HLG and PQ")
      }
      videoRange = range
    }
    // A quoted value names a group of EXT-X-MEDIA tags, which have no property here.
    noClosedCaptions = list.attributes.contains { $0.name == "CLOSED-CAPTIONS" && !$0.isQuoted && $0.value == "NONE" }
  }

  func write(to writer: inout PlaylistWriter) {
    writer.begin(.streamInf)
    writer.attribute("BANDWIDTH", bandwidth)
    if let averageBandwidth { writer.attribute("AVERAGE-BANDWIDTH", averageBandwidth) }
    if let codecs { writer.attribute("CODECS", quoted: codecs) }
    if let resolution { writer.attribute("RESOLUTION", resolution) }
    if let frameRate { writer.attribute("FRAME-RATE", frameRate) }
    if let videoRange { writer.attribute("VIDEO-RANGE", bare: videoRange.rawValue) }
    if noClosedCaptions { writer.attribute("CLOSED-CAPTIONS", bare: "NONE") }
    writer.end()
    writer.uriLine(uri)
  }
}

extension MediaPlaylist.ByteRange {
  /// Reads `length[@offset]`.
  init?(parsing text: some Collection<UInt8>) {
    let sign = text.firstIndex(of: UInt8(ascii: "@"))
    guard let length = Decimal.integer(text[..<(sign ?? text.endIndex)]) else { return nil }
    self.init(length: length)
    if let sign {
      guard let offset = Decimal.integer(text[sign...].dropFirst()) else { return nil }
      self.offset = offset
    }
  }
}
