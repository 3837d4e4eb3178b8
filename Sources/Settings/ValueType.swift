import Access
import Media
import Picture

/// How a value of one type is written: for reading, help and errors.
struct ValueType<Value: Sendable>: Sendable {
  /// The value in a usage line, such as `HOST:PORT`.
  let valueName: String
  /// Which values are accepted, for help and errors alike.
  let accepted: String
  /// The value as it would be written.
  let text: @Sendable (Value) -> String
  /// The value, or `nil` with the problem added.
  let read: @Sendable (ConfigValue, _ path: String, inout [SettingsError.Problem]) -> Value?

  init(
    _ valueName: String, accepted: String, text: @escaping @Sendable (Value) -> String,
    read: @escaping @Sendable (ConfigValue, _ path: String, inout [SettingsError.Problem]) -> Value?
  ) {
    self.valueName = valueName
    self.accepted = accepted
    self.text = text
    self.read = read
  }

  /// A type that is written as one text.
  init(
    _ valueName: String, accepted: String, isSecret: Bool = false, text: @escaping @Sendable (Value) -> String,
    parse: @escaping @Sendable (String) -> Value?
  ) {
    self.init(valueName, accepted: accepted, text: text) { given, path, problems in
      if case .text(let written) = given.content, let value = parse(written) { return value }
      let found = given.found(isSecret: isSecret)
      problems.append(.init(at: given.place, key: path, "found \(found); accepted: \(accepted)"))
      return nil
    }
  }

  /// The same type for an optional value.
  var optional: ValueType<Value?> {
    ValueType<Value?>(
      valueName, accepted: accepted, text: { [text] in $0.map(text) ?? "none" },
      read: { [read] given, path, problems in read(given, path, &problems) })
  }
}

extension ValueType where Value == Int {
  /// A whole number of a range.
  static func whole(_ range: ClosedRange<Int>, _ what: String = "") -> ValueType {
    let unit = what.isEmpty ? "" : " \(what)"
    return ValueType(
      "NUMBER", accepted: "a whole number from \(range.lowerBound) to \(range.upperBound)\(unit)", text: { "\($0)" }
    ) {
      integer($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A whole number whose range is checked elsewhere.
  static func whole(accepted: String) -> ValueType {
    ValueType("NUMBER", accepted: accepted, text: { "\($0)" }, parse: integer)
  }

  private static func integer(_ text: String) -> Int? {
    guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return Int(text)
  }
}

extension ValueType where Value == Bool {
  /// `true` or `false`, and no other spelling of YAML 1.1.
  static var truth: ValueType {
    ValueType("true|false", accepted: "true or false", text: { "\($0)" }) { Bool($0) }
  }
}

extension ValueType where Value: RawRepresentable<String> & CaseIterable {
  /// One case of an enumeration, by its name.
  static var choice: ValueType {
    let names = Value.allCases.map(\.rawValue)
    let accepted = names.count == 2 ? names.joined(separator: " or ") : "one of \(names.joined(separator: ", "))"
    return ValueType(
      names.count <= 3 ? names.joined(separator: "|") : "NAME", accepted: accepted, text: \.rawValue,
      parse: { Value(rawValue: $0) })
  }
}

extension ValueType where Value == Ticks {
  /// A duration: `2`, `0.5`, `2s`, `500ms`, `10m` or `1h`; exact, because it is never a floating-point number.
  static func duration(_ range: ClosedRange<Ticks>? = nil, accepted: String) -> ValueType {
    let examples = range == nil ? "2, 0.5 or 500ms" : "2, 0.5, 500ms or 10m"
    return ValueType("SECONDS", accepted: "\(accepted), such as \(examples)", text: \.secondsText) { text in
      guard let ticks = Ticks(length: text), range?.contains(ticks) ?? true else { return nil }
      return ticks
    }
  }
}

extension ValueType where Value == Ticks? {
  /// A duration, or a word for none.
  static func duration(_ range: ClosedRange<Ticks>, or none: String, accepted: String) -> ValueType {
    ValueType(
      "SECONDS", accepted: "\(accepted), such as 2, 0.5, 500ms or 10m, or \(none)", text: { $0?.secondsText ?? none }
    ) { text in
      if text == none { return .some(nil) }
      guard let ticks = Ticks(length: text), range.contains(ticks) else { return nil }
      return ticks
    }
  }
}

extension ValueType where Value == ClosedRange<Ticks> {
  /// Two durations with two points between them: a range to draw from.
  static func durations(_ range: ClosedRange<Ticks>, accepted: String) -> ValueType {
    ValueType(
      "SECONDS..SECONDS", accepted: "\(accepted), such as 30..300 or 10m..1h",
      text: { "\($0.lowerBound.secondsText)..\($0.upperBound.secondsText)" }, parse: { parsedDurations($0, range) })
  }
}

extension ValueType where Value == ClosedRange<Ticks>? {
  /// The same, or a word for none.
  static func durations(_ range: ClosedRange<Ticks>, or none: String, accepted: String) -> ValueType {
    ValueType(
      "SECONDS..SECONDS", accepted: "\(accepted), such as 30..300 or 10m..1h, or \(none)",
      text: { $0.map { "\($0.lowerBound.secondsText)..\($0.upperBound.secondsText)" } ?? none }
    ) { text in
      text == none ? .some(nil) : parsedDurations(text, range).map { .some($0) }
    }
  }
}

private func parsedDurations(_ text: String, _ range: ClosedRange<Ticks>) -> ClosedRange<Ticks>? {
  guard let dots = text.firstRange(of: ".."), let low = Ticks(length: text[..<dots.lowerBound]),
    let high = Ticks(length: text[dots.upperBound...]), low <= high, range.contains(low), range.contains(high)
  else { return nil }
  return low...high
}

extension ValueType where Value == PictureSize {
  /// The size of a stream.
  static var streamSize: ValueType {
    ValueType(
      "WIDTHxHEIGHT", accepted: "two even numbers from 32 to 4096 around an x, such as 640x480", text: \.description
    ) { text in
      guard let size = PictureSize(text), size.width % 2 == 0, size.height % 2 == 0,
        (32...4096).contains(size.width), (32...4096).contains(size.height)
      else { return nil }
      return size
    }
  }
}

extension ValueType where Value == ListenAddress {
  /// An address to listen on.
  static var address: ValueType {
    ValueType(
      "HOST:PORT",
      accepted:
        "HOST:PORT with an IPv6 host in brackets and port 0 for any free one, such as 127.0.0.1:8080 or [::1]:0",
      text: \.description, parse: { ListenAddress($0) })
  }
}

extension ValueType where Value == ServeSettings.Store {
  /// A folder or `memory`.
  static var store: ValueType {
    ValueType(
      "FOLDER|memory", accepted: "the path of a folder, or memory to keep nothing on disk", text: \.description
    ) { text in
      guard !text.isEmpty, !text.utf8.contains(0) else { return nil }
      return text == "memory" ? .memory : .folder(text)
    }
  }
}

extension ValueType where Value == TrustedProxies {
  /// Addresses and networks.
  static var proxies: ValueType {
    ValueType(
      "ADDRESSES|none",
      accepted: "none, or up to 100 IP addresses and networks such as \"127.0.0.1 10.0.0.0/8 2001:db8::/32\"",
      text: \.text
    ) { $0 == "none" ? TrustedProxies.none : TrustedProxies($0) }
  }
}

extension ValueType where Value == CameraName {
  /// The name of a camera.
  static var cameraName: ValueType {
    ValueType("NAME", accepted: CameraName.rule, text: \.text, parse: { CameraName($0) })
  }
}

extension ValueType where Value == String {
  /// A secret that can be sent in an HTTP header, or its digest.
  static var token: ValueType {
    ValueType(
      "SECRET",
      accepted:
        "8 to 256 letters, digits and signs of ASCII without spaces, or sha256: and 64 digits as `quietcam token` prints",
      isSecret: true, text: { _ in "set" }
    ) { text in
      guard text.hasPrefix(TokenDigest.prefix) else { return isSecret(text, from: 8) ? text : nil }
      return TokenDigest(text) == nil ? nil : text
    }
  }

  /// A secret against which others can test guesses without limit.
  static var linkKey: ValueType {
    ValueType(
      "SECRET", accepted: "16 to 256 letters, digits and signs of ASCII without spaces, such as `quietcam token` makes",
      isSecret: true, text: { _ in "set" }, parse: { isSecret($0, from: 16) ? $0 : nil })
  }

  private static func isSecret(_ text: String, from count: Int) -> Bool {
    (count...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// The path of a file.
  static var path: ValueType {
    ValueType("FILE", accepted: "the path of a file", text: { $0 }) { text in
      text.isEmpty || text.utf8.contains(0) ? nil : text
    }
  }
  /// The path of a folder.
  static var folder: ValueType {
    ValueType("FOLDER", accepted: "the path of a folder", text: { $0 }) { text in
      text.isEmpty || text.utf8.contains(0) ? nil : text
    }
  }
}
