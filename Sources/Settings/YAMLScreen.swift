/// Checks a YAML text before it is parsed for what no settings file needs and what can overload a parser: aliases that
/// grow to any size, deep nesting, tags, texts over several lines.
///
/// It works with YAML's indicators alone and refuses too much rather than too little: at every place where a node could
/// begin, it looks for these indicators.
struct YAMLScreen {
  /// The problem and its line.
  struct Refusal: Hashable {
    let line: Int
    let message: String
  }

  private let bytes: [UInt8]
  private var index = 0
  private var line = 1
  /// How many lists in brackets and mappings in braces are open.
  private var depth = 0
  /// Whether a node can begin here.
  private var isStart = true
  /// Whether a quote would begin a quoted text here, and not continue an unquoted one.
  private var mayQuote = true

  private static let deepest = 16

  /// The first thing in `text` that is refused.
  static func refusal(of text: String) -> Refusal? {
    var screen = YAMLScreen(text)
    while screen.index < screen.bytes.count {
      if let message = screen.step() { return Refusal(line: screen.line, message: message) }
    }
    return nil
  }

  private init(_ text: String) { bytes = Array(text.utf8) }

  private var isBlankNext: Bool {
    index + 1 >= bytes.count || [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index + 1])
  }

  private var isBlankBefore: Bool { index == 0 || [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index - 1]) }

  /// Takes the next byte, or all bytes that belong together.
  private mutating func step() -> String? {
    let byte = bytes[index]
    defer { index += 1 }
    switch byte {
    case 0x0A, 0x0D:
      if byte == 0x0A || index + 1 >= bytes.count || bytes[index + 1] != 0x0A { line += 1 }
      // An unquoted text in brackets can continue here, and a quote in it is an ordinary character.
      mayQuote = depth == 0 || isStart
      isStart = true
    case 0x20, 0x09:
      break
    case UInt8(ascii: "#") where isBlankBefore:
      while index + 1 < bytes.count, bytes[index + 1] != 0x0A, bytes[index + 1] != 0x0D { index += 1 }
    case UInt8(ascii: "["), UInt8(ascii: "{"):
      if isStart || depth > 0 {
        depth += 1
        begin()
      }
      if depth > Self.deepest { return "brackets more than \(Self.deepest) deep; accepted: fewer" }
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      depth = max(0, depth - 1)
      isStart = false
    case UInt8(ascii: ",") where depth > 0, UInt8(ascii: ":") where depth > 0 || isBlankNext:
      begin()
    case UInt8(ascii: "?") where isStart && (depth > 0 || isBlankNext):
      return "found \"?\", a key of several parts; accepted: KEY: VALUE"
    case UInt8(ascii: "-") where isStart && isBlankNext:
      begin()
    case UInt8(ascii: "-") where isStart && isBlankBefore && bytes[index...].starts(with: "---".utf8):
      index += 2
    case UInt8(ascii: "*") where isStart, UInt8(ascii: "&") where isStart:
      return
        "found an alias or anchor of YAML; accepted: values written out, and texts that begin with & or * in quotes"
    case UInt8(ascii: "!") where isStart:
      return "found a tag of YAML; accepted: values without one, and texts that begin with ! in quotes"
    case UInt8(ascii: "|") where isStart, UInt8(ascii: ">") where isStart:
      return "found a text of several lines; accepted: texts on one line, those that begin with | or > in quotes"
    case UInt8(ascii: "\"") where isStart && mayQuote, UInt8(ascii: "'") where isStart && mayQuote:
      return skipQuoted(by: byte)
    default:
      isStart = false
    }
    return nil
  }

  private mutating func begin() {
    isStart = true
    mayQuote = true
  }

  /// Moves the index to the closing quote.
  private mutating func skipQuoted(by quote: UInt8) -> String? {
    isStart = false
    while index + 1 < bytes.count, bytes[index + 1] != 0x0A, bytes[index + 1] != 0x0D {
      index += 1
      if bytes[index] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        index += 1
      } else if bytes[index] == quote {
        guard quote == UInt8(ascii: "'"), index + 1 < bytes.count, bytes[index + 1] == quote else { return nil }
        index += 1
      }
    }
    return "found a quote that is not closed on its line; accepted: texts on one line"
  }
}
