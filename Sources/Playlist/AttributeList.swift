import Media

/// The attributes of one tag (rfc8216bis, section 4.2).
struct AttributeList {
  /// One attribute as it was written.
  struct Attribute {
    let name: String
    /// The value without its quotes.
    let value: String
    let isQuoted: Bool
  }

  /// The attributes in their order; no name is used twice.
  let attributes: [Attribute]
  private let tag: Tag
  private let line: Int

  /// Splits `text` into attributes. Throws for text that is no attribute list, and for a name that is used twice.
  init(_ text: ArraySlice<UInt8>, of tag: Tag, line: Int) throws(PlaylistError) {
    self.tag = tag
    self.line = line
    func fail(_ reason: String) -> PlaylistError {
      PlaylistError(line: line, tag: tag.rawValue, reason, section: "4.2")
    }
    let (equals, comma, quote) = (UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "\""))
    var attributes: [Attribute] = []
    var names: Set<String> = []
    var rest = text
    while true {
      let nameBytes = rest.prefix { $0 != equals && $0 != comma }
      let name = String(decoding: nameBytes, as: UTF8.self)
      rest = rest[nameBytes.endIndex...]
      guard rest.first == equals else {
        throw fail(
          name.isEmpty
            ? "an attribute is missing where the list begins, ends or has two commas; write NAME=VALUE"
            : "the attribute \(name.brief) has no value; write \(name.brief)=VALUE")
      }
      guard !nameBytes.isEmpty, nameBytes.allSatisfy(Self.isNameByte) else {
        throw fail(
          "the attribute name \(name.brief) is not made of A-Z, 0-9 and - alone; mind spaces and small letters")
      }
      guard names.insert(name).inserted else {
        throw fail("the attribute \(name) is given twice; keep one")
      }
      rest = rest.dropFirst()
      let isQuoted = rest.first == quote
      if isQuoted { rest = rest.dropFirst() }
      let end = isQuoted ? quote : comma
      let valueBytes = rest.prefix { $0 != end }
      let value = String(decoding: valueBytes, as: UTF8.self)
      rest = rest[valueBytes.endIndex...]
      if isQuoted {
        guard !rest.isEmpty else { throw fail("the value of \(name) has no closing quote") }
        rest = rest.dropFirst()
        guard rest.isEmpty || rest.first == comma else {
          throw fail("there is something between the closing quote of \(name) and the next comma; remove it")
        }
      } else {
        guard !valueBytes.isEmpty else { throw fail("the value of \(name) is empty") }
        guard !valueBytes.contains(where: { $0 == quote || $0 == UInt8(ascii: " ") }) else {
          throw fail("the value \(value.brief) of \(name) has a space or a quote in it; put quotes around all of it")
        }
      }
      attributes.append(Attribute(name: name, value: value, isQuoted: isQuoted))
      guard !rest.isEmpty else { break }
      rest = rest.dropFirst()
    }
    self.attributes = attributes
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
    default: false
    }
  }

  // MARK: Values by type

  /// An error about this tag.
  func fail(_ reason: String) -> PlaylistError {
    PlaylistError(line: line, tag: tag.rawValue, reason, section: tag.rule.section)
  }

  /// The value of a required attribute.
  func required<Value>(_ name: String, _ value: Value?) throws(PlaylistError) -> Value {
    guard let value else { throw fail("the attribute \(name) is missing") }
    return value
  }

  func quoted(_ name: String) throws(PlaylistError) -> String? {
    guard let attribute = attribute(name) else { return nil }
    guard attribute.isQuoted else {
      throw fail("the value \(attribute.value.brief) of \(name) must be in double quotes")
    }
    return attribute.value
  }

  /// A required quoted-string that holds an address.
  func uri(_ name: String = "URI") throws(PlaylistError) -> String {
    let uri = try required(name, quoted(name))
    guard !uri.isEmpty else { throw fail("the attribute \(name) is empty; it must be an address") }
    guard !uri.utf8.contains(UInt8(ascii: " ")) else {
      throw fail("the address \(uri.brief) in \(name) has a space in it; write %20")
    }
    return uri
  }

  func enumerated(_ name: String) throws(PlaylistError) -> String? {
    guard let attribute = attribute(name) else { return nil }
    guard !attribute.isQuoted else {
      throw fail("the value \(attribute.value.brief) of \(name) must not be in quotes")
    }
    return attribute.value
  }

  /// An attribute that can only be `YES`, or `NO` where that is the same as leaving it out.
  func flag(_ name: String) throws(PlaylistError) -> Bool {
    switch try enumerated(name) {
    case nil, "NO": return false
    case "YES": return true
    case .some(let value): throw fail("the value \(value.brief) of \(name) is neither YES nor NO")
    }
  }

  func integer(_ name: String) throws(PlaylistError) -> Int? {
    guard let text = try enumerated(name) else { return nil }
    guard let number = Decimal.integer(text.utf8) else {
      throw fail("the value \(text.brief) of \(name) is not a whole number from 0 to 2^61")
    }
    return number
  }

  func seconds(_ name: String) throws(PlaylistError) -> Ticks? {
    guard let text = try enumerated(name) else { return nil }
    guard let time = Decimal.seconds(text.utf8) else {
      throw fail("the value \(text.brief) of \(name) is not a decimal number of seconds from 0 to 100000000")
    }
    return time
  }

  func date(_ name: String) throws(PlaylistError) -> WallTime? {
    guard let text = try quoted(name) else { return nil }
    guard let time = WallTime(iso8601: text) else {
      throw fail("the value \(text.brief) of \(name) is not a date such as 2026-11-21T09:30:00.250Z")
    }
    return time
  }

  func byteRange(_ name: String) throws(PlaylistError) -> MediaPlaylist.ByteRange? {
    guard let text = try quoted(name) else { return nil }
    guard let range = MediaPlaylist.ByteRange(parsing: text.utf8) else {
      throw fail("the value \(text.brief) of \(name) is not a byte range such as 1000@200")
    }
    return range
  }

  func resolution(_ name: String) throws(PlaylistError) -> PictureSize? {
    guard let text = try enumerated(name) else { return nil }
    guard let size = PictureSize(text) else {
      throw fail("the value \(text.brief) of \(name) is not a size such as 640x480, up to 99999x99999")
    }
    return size
  }

  private func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name } }
}

extension StringProtocol {
  /// The text in quotes for an error message, cut to 40 characters.
  var brief: String { count > 40 ? "\"\(prefix(40))…\"" : "\"\(self)\"" }
}
