import Media
import NIOCore

/// Writes the lines of a playlist as bytes.
///
/// No text of a caller can break out of its place: what the format cannot hold there, line ends and other control
/// characters above all, is written percent-encoded (RFC 3986, section 2.1).
struct PlaylistWriter {
  private var bytes: [UInt8] = []
  /// Whether the next attribute is the first of its list.
  private var isFirstAttribute = true
  /// The day of the last date, counted from 1970, and how it is written, since most dates of a playlist share it.
  private var day = Int64.min
  private var dayText = ""

  init(capacity: Int) {
    bytes.reserveCapacity(capacity)
  }

  /// All that was written.
  var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }

  // MARK: Lines

  /// A tag that stands alone on its line.
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
    raw(tag.rawValue)
    if colon { byte(":") }
    isFirstAttribute = true
  }

  /// Ends the line.
  mutating func end() { byte("\n") }

  /// An address on its own line.
  mutating func uriLine(_ uri: String) {
    // A leading `#` would make a comment of it.
    if uri.utf8.first == UInt8(ascii: "#") {
      raw("%23")
      text(String(uri.dropFirst()), in: .uri)
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

  /// A value without quotes; the caller answers for its form.
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
    // A tick is a ninetieth of a thousandth, so the form of seconds serves.
    seconds(Ticks(Int64(value.thousandths) * 90))
  }

  /// `NAME=YES`, or nothing.
  mutating func flag(_ name: StaticString, _ value: Bool) {
    guard value else { return }
    begin(attribute: name)
    raw("YES")
  }

  /// A client attribute, whose name is not known beforehand.
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
    raw(name)
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

  /// The same text as `Ticks.secondsText`, without making a string of it.
  mutating func seconds(_ time: Ticks) {
    if time.count < 0 { byte("-") }
    // Hundred-thousandths of a second, rounded half up: 100 000 / 90 000 is 20 / 18.
    let rounded = (time.count.magnitude * 20 + 9) / 18
    digits(rounded / 100_000)
    var fraction = rounded % 100_000
    guard fraction != 0 else { return }
    byte(".")
    var unit: UInt64 = 10_000
    while fraction != 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / unit))
      fraction %= unit
      unit /= 10
    }
  }

  /// The same text as `WallTime.iso8601`; the calendar is asked once a day.
  mutating func date(_ time: WallTime) {
    let days = Ticks(time.milliseconds).floorDivided(by: Ticks(86_400_000))
    if days != day {
      day = days
      dayText = String(time.iso8601.prefix { $0 != "T" })
    }
    let inDay = UInt64(time.milliseconds - days * 86_400_000)
    raw(dayText)
    byte("T")
    padded(inDay / 3_600_000, 10)
    byte(":")
    padded(inDay / 60_000 % 60, 10)
    byte(":")
    padded(inDay / 1_000 % 60, 10)
    byte(".")
    padded(inDay % 1_000, 100)
    byte("Z")
  }

  mutating func byteRange(_ range: MediaPlaylist.ByteRange) {
    integer(range.length)
    guard let offset = range.offset else { return }
    byte("@")
    integer(offset)
  }

  /// One ASCII character.
  mutating func byte(_ character: Unicode.Scalar) { bytes.append(UInt8(truncatingIfNeeded: character.value)) }

  private mutating func digits(_ number: UInt64) {
    var unit: UInt64 = 1
    while number / unit >= 10 { unit *= 10 }
    padded(number, unit)
  }

  /// The digits of a number from that of `unit` downward.
  private mutating func padded(_ number: UInt64, _ unit: UInt64) {
    var (rest, unit) = (number, unit)
    while unit > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  private mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  private mutating func raw(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  // MARK: Text of callers

  /// Where a text stands, which decides what it must not hold.
  enum Place { case uri, quotes, title }

  mutating func text(_ text: String, in place: Place) {
    let isPlain = text.utf8.withContiguousStorageIfAvailable { utf8 in
      // Without a branch, so that it takes many bytes at a time: all is printable ASCII, and neither ` ` nor `"`.
      var odd: UInt8 = 0
      for byte in utf8 { odd |= (byte &- 0x21 > 0x5D ? 1 : 0) | (byte == 0x22 ? 1 : 0) }
      if odd == 0 { bytes.append(contentsOf: utf8) }
      return odd == 0
    }
    if isPlain != true { encoded(text, in: place) }
  }

  private mutating func encoded(_ text: String, in place: Place) {
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
          bytes.append(byte)
          continue
        }
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        bytes.append(UInt8(ascii: "%"))
        bytes.append(hexadecimal[Int(byte >> 4)])
        bytes.append(hexadecimal[Int(byte & 15)])
      }
    }
  }
}
