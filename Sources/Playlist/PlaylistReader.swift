/// Returns the tags and addresses of a playlist and checks the rules for every tag: the first line, which playlist a
/// tag belongs to, how often it is allowed, whether something follows its name, and the version it needs.
struct PlaylistReader {
  /// The content of a line.
  enum Item {
    /// A tag and what follows its colon.
    case tag(Tag, ArraySlice<UInt8>)
    /// An address.
    case uri(String)
  }

  /// What was ignored or is unusual.
  private(set) var warnings: [PlaylistError] = []
  /// The version that EXT-X-VERSION declares; 1 without it.
  private(set) var version = 1
  private let home: Tag.Home
  private var lines: PlaylistLines
  private var firstLines: [Tag: Int] = [:]
  private var versionNeeds: [(version: Int, line: Int, tag: Tag, what: String)] = []

  /// The line of the item returned last.
  var line: Int { lines.number }

  /// Reads a playlist of this kind.
  init(_ bytes: [UInt8], home: Tag.Home) throws(PlaylistError) {
    self.home = home
    lines = try PlaylistLines(bytes)
    guard let first = try lines.next(), first.elementsEqual("#EXTM3U".utf8) else {
      throw PlaylistError(
        line: 1, tag: Tag.m3u.rawValue, "the first line must be #EXTM3U and nothing else",
        section: Tag.m3u.rule.section)
    }
    firstLines[.m3u] = 1
  }

  /// The next tag that has a property in our types, or the next address; `nil` at the end.
  mutating func next() throws(PlaylistError) -> Item? {
    while let line = try lines.next() {
      guard line.first == UInt8(ascii: "#") else {
        if line.isEmpty { continue }
        return .uri(try uri(line))
      }
      guard line.starts(with: "#EXT".utf8) else { continue }
      let name = line.dropFirst().prefix { $0 != UInt8(ascii: ":") }
      guard let tag = Tag.named[String(decoding: name, as: UTF8.self)] else {
        warnings.append(
          PlaylistError(
            line: lines.number, tag: String(String(decoding: name, as: UTF8.self).prefix(40)),
            "the tag is unknown and was ignored", section: "6.3.1"))
        continue
      }
      let content = line[name.endIndex...].dropFirst()
      try check(tag, hasColon: name.endIndex < line.endIndex, content)
      if tag == .version {
        try declare(content)
      } else if tag.rule.isModelled {
        return .tag(tag, content)
      } else {
        try ignore(tag, content)
      }
    }
    return nil
  }

  /// The attributes of a tag.
  func attributes(_ content: ArraySlice<UInt8>, of tag: Tag) throws(PlaylistError) -> AttributeList {
    try AttributeList(content, of: tag, line: line)
  }

  /// The whole number that follows a tag.
  func integer(_ content: ArraySlice<UInt8>, of tag: Tag, upTo limit: Int = Decimal.largestInteger)
    throws(PlaylistError) -> Int
  {
    guard let number = Decimal.integer(content, upTo: limit) else {
      let text = String(decoding: content, as: UTF8.self)
      throw fail(
        tag, "\(text.brief) is not a whole number from 0 to \(limit == Decimal.largestInteger ? "2^61" : "\(limit)")")
    }
    return number
  }

  /// An error at a tag on the current line.
  func fail(_ tag: Tag, _ reason: String) -> PlaylistError { fail(tag, line: line, reason) }

  /// An error at a tag on an earlier line.
  func fail(_ tag: Tag, line: Int, _ reason: String) -> PlaylistError {
    PlaylistError(line: line, tag: tag.rawValue, reason, section: tag.rule.section)
  }

  /// Adds a warning about a tag on the current line, or about the playlist.
  mutating func warn(_ tag: Tag, line: Int? = nil, _ reason: String) {
    warnings.append(fail(tag, line: line ?? self.line, reason))
  }

  /// The first line with that tag.
  func firstLine(of tag: Tag) -> Int? { firstLines[tag] }

  /// Notes that something on the current line needs a version.
  mutating func need(version: Int, for tag: Tag, _ what: String) {
    guard !versionNeeds.contains(where: { $0.version == version }) else { return }
    versionNeeds.append((version, line, tag, what))
  }

  /// Compares the declared version with what was used: too low is an error, too high a warning.
  mutating func checkVersion() throws(PlaylistError) {
    for need in versionNeeds where need.version > version {
      let declared = firstLines[.version] == nil ? "there is no EXT-X-VERSION" : "EXT-X-VERSION says \(version)"
      throw PlaylistError(
        line: need.line, tag: need.tag.rawValue, "\(need.what) needs version \(need.version), but \(declared)",
        section: "8")
    }
    let needed = versionNeeds.map(\.version).max() ?? 1
    if version > max(needed, 1), let line = firstLines[.version] {
      warnings.append(
        PlaylistError(
          line: line, tag: Tag.version.rawValue, "version \(version) is declared where \(needed) is enough",
          section: "8"))
    }
  }

  // MARK: Rules for every tag

  private mutating func check(_ tag: Tag, hasColon: Bool, _ content: ArraySlice<UInt8>) throws(PlaylistError) {
    let rule = tag.rule
    if rule.home != .any, rule.home != home {
      throw fail(tag, "the tag belongs in a \(rule.home) playlist, but this is read as a \(home) playlist")
    }
    let firstLine = firstLines[tag]
    if rule.times == .once, let firstLine {
      throw fail(tag, "the tag is allowed once in a playlist, but is on line \(firstLine) too")
    }
    if firstLine == nil { firstLines[tag] = line }
    switch rule.content {
    case .nothing where hasColon || !content.isEmpty: throw fail(tag, "nothing may follow the tag on its line")
    case .text where content.isEmpty, .attributes where content.isEmpty:
      throw fail(tag, "the tag needs a value after a colon")
    default: break
    }
  }

  private mutating func declare(_ content: ArraySlice<UInt8>) throws(PlaylistError) {
    version = try integer(content, of: .version, upTo: 1_000)
    guard version >= 1 else { throw fail(.version, "the version must be 1 or more") }
  }

  private func uri(_ line: ArraySlice<UInt8>) throws(PlaylistError) -> String {
    let text = String(decoding: line, as: UTF8.self)
    guard !line.contains(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\"") }) else {
      throw PlaylistError(
        line: lines.number,
        "the address \(text.brief) has a space or a quote in it; write %20 or %22, or # before a comment",
        section: "4.1")
    }
    return text
  }

  /// Checks the form and the version of a tag that has no property in our types.
  private mutating func ignore(_ tag: Tag, _ content: ArraySlice<UInt8>) throws(PlaylistError) {
    guard tag != .define else {
      throw fail(tag, "variables are not read by Quietcam; write their values into the playlist")
    }
    let list = tag.rule.content == .attributes ? try attributes(content, of: tag).attributes : []
    for attribute in list {
      switch (tag, attribute.name) {
      case (.key, "IV"), (.sessionKey, "IV"): need(version: 2, for: tag, "the attribute IV")
      case (.key, "KEYFORMAT"), (.key, "KEYFORMATVERSIONS"), (.sessionKey, "KEYFORMAT"),
        (.sessionKey, "KEYFORMATVERSIONS"):
        need(version: 5, for: tag, "the attribute \(attribute.name)")
      case (.media, "INSTREAM-ID") where attribute.value.hasPrefix("SERVICE"):
        need(version: 7, for: tag, "an INSTREAM-ID with SERVICE")
      case (_, let name) where name.hasPrefix("REQ-"): need(version: 12, for: tag, "the attribute \(name)")
      default: break
      }
    }
    if tag == .iFramesOnly { need(version: 4, for: tag, "the tag") }
    warn(tag, "the tag is not modelled and was ignored")
  }
}
