import Media
import NIOCore

/// Writes the lines of a playlist as bytes.
///
/// No text of a caller can break out of its place: what the format does not allow there, especially line ends and other
/// control characters, is written percent-encoded (RFC 3986, section 2.1).
///
/// It owns its memory: a `ByteBuffer` checks at every write whether it is shared and long enough, which makes rendering
/// four times slower (`quietcam bench stages` shows it).
struct PlaylistWriter: ~Copyable {
  private var memory: UnsafeMutableBufferPointer<UInt8>
  /// Bytes that were written.
  private var count = 0
  /// Whether the next attribute is the first of its list.
  private var isFirstAttribute = true
  /// The day of the last date, counted from 1970, and its text, because most dates of a playlist have the same day.
  private var day = Int64.min
  private var dayText = ""

  init(capacity: Int) {
    memory = .allocate(capacity: max(capacity, 64))
  }

  deinit { memory.deallocate() }

  /// All bytes that were written.
  var buffer: ByteBuffer { ByteBuffer(bytes: UnsafeBufferPointer(rebasing: memory[..<count])) }

  // MARK: Bytes

  /// Makes room for this many more bytes.
  @inline(__always)
  private mutating func reserve(_ more: Int) {
    if count + more > memory.count { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(memory.count * 2, count + more))
    _ = larger.moveInitialize(fromContentsOf: memory[..<count])
    memory.deallocate()
    memory = larger
  }

  @inline(__always)
  private mutating func append(_ byte: UInt8) {
    reserve(1)
    memory.initializeElement(at: count, to: byte)
    count += 1
  }

  private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    reserve(bytes.count)
    count = memory[count...].initialize(fromContentsOf: bytes)
  }

  /// A number below 100 as two digits.
  @inline(__always)
  private mutating func pair(_ number: UInt64) {
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
  }

  private mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append($0) }
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  /// One ASCII character.
  @inline(__always)
  mutating func byte(_ character: Unicode.Scalar) { append(UInt8(truncatingIfNeeded: character.value)) }

  /// A number, with leading zeros if it has fewer digits than `width`, at most 20.
  private mutating func digits(_ number: UInt64, width: Int = 1) {
    reserve(20)
    var (length, limit) = (1, UInt64(10))
    while length < width || number >= limit, length < 20 {
      length += 1
      limit = limit.multipliedReportingOverflow(by: 10).partialValue
    }
    var rest = number
    for place in stride(from: count + length - 1, through: count, by: -1) {
      memory.initializeElement(at: place, to: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    }
    count += length
  }

  // MARK: Lines

  /// A tag without a value.
  mutating func line(_ tag: Tag) {
    begin(tag, colon: false)
    end()
  }

  /// A tag with a number.
  mutating func line(_ tag: Tag, _ number: Int) {
    begin(tag)
    integer(number)
    end()
  }

  /// Begins a line with a tag.
  mutating func begin(_ tag: Tag, colon: Bool = true) {
    byte("#")
    append(tag.rawValue)
    if colon { byte(":") }
    isFirstAttribute = true
  }

  /// Ends the line.
  mutating func end() { byte("\n") }

  /// An address on its own line.
  mutating func uriLine(_ uri: String) {
    // A leading `#` would make it a comment.
    if uri.utf8.first == UInt8(ascii: "#") {
      append("%23")
      text(String(uri.unicodeScalars.dropFirst()), in: .uri)
    } else {
      text(uri, in: .uri)
    }
    end()
  }

  // MARK: Attributes

  mutating func attribute(_ name: StaticString, quoted value: String) {
    begin(attribute: name)
    byte("\"")
    text(value, in: .quotes)
    byte("\"")
  }

  mutating func attribute(_ name: StaticString, uri value: String) {
    begin(attribute: name)
    byte("\"")
    text(value, in: .uri)
    byte("\"")
  }

  /// A value without quotes; the caller is responsible for its form.
  mutating func attribute(_ name: StaticString, bare value: String) {
    begin(attribute: name)
    text(value, in: .uri)
  }

  mutating func attribute(_ name: StaticString, _ value: Int) {
    begin(attribute: name)
    integer(value)
  }

  mutating func attribute(_ name: StaticString, _ value: Ticks) {
    begin(attribute: name)
    seconds(value)
  }

  mutating func attribute(_ name: StaticString, _ value: WallTime) {
    begin(attribute: name)
    byte("\"")
    date(value)
    byte("\"")
  }

  mutating func attribute(_ name: StaticString, _ value: MediaPlaylist.ByteRange) {
    begin(attribute: name)
    byte("\"")
    byteRange(value)
    byte("\"")
  }

  mutating func attribute(_ name: StaticString, _ value: PictureSize) {
    begin(attribute: name)
    integer(value.width)
    byte("x")
    integer(value.height)
  }

  mutating func attribute(_ name: StaticString, _ value: MultivariantPlaylist.FrameRate) {
    begin(attribute: name)
    // A tick is 1/90 of a thousandth, so the form of seconds is enough.
    seconds(Ticks(Int64(value.thousandths) * 90))
  }

  /// `NAME=YES`, or nothing.
  mutating func flag(_ name: StaticString, _ value: Bool) {
    guard value else { return }
    begin(attribute: name)
    append("YES")
  }

  /// A client attribute, whose name is not known in advance.
  mutating func attribute(_ attribute: MediaPlaylist.ClientAttribute) {
    separate()
    text(attribute.name, in: .uri)
    byte("=")
    switch attribute.value {
    case .bare(let value): text(value, in: .uri)
    case .quoted(let value):
      byte("\"")
      text(value, in: .quotes)
      byte("\"")
    }
  }

  private mutating func begin(attribute name: StaticString) {
    separate()
    append(name)
    byte("=")
  }

  private mutating func separate() {
    if !isFirstAttribute { byte(",") }
    isFirstAttribute = false
  }

  // MARK: Values

  mutating func integer(_ number: Int) {
    if number < 0 { byte("-") }
    digits(UInt64(number.magnitude))
  }

  /// The same text as `Ticks.secondsText`, without making a string.
  mutating func seconds(_ time: Ticks) {
    if time.count < 0 { byte("-") }
    // Hundred-thousandths of a second, rounded half up: 100 000 / 90 000 is 20 / 18.
    let rounded = (time.count.magnitude * 20 + 9) / 18
    digits(rounded / 100_000)
    var fraction = rounded % 100_000
    guard fraction != 0 else { return }
    byte(".")
    var decimals = 5
    while fraction % 10 == 0 {
      fraction /= 10
      decimals -= 1
    }
    digits(fraction, width: decimals)
  }

  /// The same text as `WallTime.iso8601`; the calendar is computed once a day.
  mutating func date(_ time: WallTime) {
    let days = Ticks(time.milliseconds).floorDivided(by: Ticks(86_400_000))
    if days != day {
      day = days
      dayText = String(time.iso8601.utf8.prefix { $0 != UInt8(ascii: "T") }) ?? ""
    }
    let inDay = UInt64(time.milliseconds - days * 86_400_000)
    append(dayText)
    byte("T")
    pair(inDay / 3_600_000)
    byte(":")
    pair(inDay / 60_000 % 60)
    byte(":")
    pair(inDay / 1_000 % 60)
    byte(".")
    pair(inDay / 10 % 100)
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: inDay % 10))
    byte("Z")
  }

  mutating func byteRange(_ range: MediaPlaylist.ByteRange) {
    integer(range.length)
    guard let offset = range.offset else { return }
    byte("@")
    integer(offset)
  }

  // MARK: Text of callers

  /// Where a text is written, which decides what it must not contain.
  enum Place { case uri, quotes, title }

  mutating func text(_ text: String, in place: Place) {
    var text = text
    let isPlain = text.withUTF8 { utf8 in
      // Without a branch, so that it handles many bytes at a time: everything is printable ASCII, and neither ` ` nor
      // `"`.
      var odd: UInt8 = 0
      for byte in utf8 { odd |= (byte &- 0x21 > 0x5D ? 1 : 0) | (byte == 0x22 ? 1 : 0) }
      if odd == 0 { append(utf8) }
      return odd == 0
    }
    if !isPlain { encode(text, in: place) }
  }

  private mutating func encode(_ text: String, in place: Place) {
    for scalar in text.unicodeScalars {
      let isHeld =
        switch scalar.value {
        case ..<0x20, 0x7F...0x9F: false
        case 0x20: place != .uri
        case 0x22: place == .title
        default: true
        }
      for byte in String(scalar).utf8 {
        guard !isHeld else {
          append(byte)
          continue
        }
        self.byte("%")
        append(Self.hexadecimalDigit(byte >> 4))
        append(Self.hexadecimalDigit(byte & 15))
      }
    }
  }

  private static func hexadecimalDigit(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
  }
}
