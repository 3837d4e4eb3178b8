/// What is logged, and how it is written.
package struct LogSettings: Sendable, Hashable {
  /// The lowest level that is logged; the names are those of swift-log without `critical`.
  package enum Level: String, Sendable, CaseIterable {
    /// From everything to errors only.
    case trace, debug, info, notice, warning, error
  }

  /// How a message is written.
  package enum Format: String, Sendable, CaseIterable {
    /// As a line for people.
    case text
    /// As a line with one JSON object.
    case json
  }

  /// The lowest level that is logged.
  package var level = Level.info
  /// How each message is written.
  package var format = Format.text

  /// Lines for people, from `info` on.
  package init() {}

  /// Reads a level, a format, or both with a comma between them in any order; `nil` for anything else.
  package init?(_ text: String) {
    let words = text.split(separator: ",", omittingEmptySubsequences: false).map {
      $0.drop { $0 == " " }
    }
    let levels = words.compactMap { Level(rawValue: String($0)) }
    let formats = words.compactMap { Format(rawValue: String($0)) }
    guard levels.count <= 1, formats.count <= 1, levels.count + formats.count == words.count else { return nil }
    level = levels.first ?? .info
    format = formats.first ?? .text
  }
}

extension LogSettings: CustomStringConvertible {
  /// The level, with the format before it if that is not text.
  package var description: String { format == .text ? level.rawValue : "\(format.rawValue),\(level.rawValue)" }
}

extension ValueType where Value == LogSettings {
  /// A level, a format, or both.
  static var log: ValueType {
    let levels = LogSettings.Level.allCases.map(\.rawValue).joined(separator: ", ")
    return ValueType(
      "LEVEL", accepted: "one of \(levels), or json, or both such as json,debug", text: \.description,
      parse: { LogSettings($0) })
  }
}
