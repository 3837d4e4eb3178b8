import Yams

/// The text of a YAML file as a tree of values with their lines.
package enum SettingsFile {
  /// The most bytes that a file may have.
  package static let maxBytes = 1 << 20

  /// The text of the file's bytes, which must be UTF-8 and at most 1 MiB.
  ///
  /// - Parameter path: the file's path, for the error message.
  /// - Throws: a single problem that names the first line that is not UTF-8, or the size.
  package static func text(of bytes: [UInt8], path: String) throws(SettingsError) -> String {
    guard bytes.count <= maxBytes else { throw SettingsError([tooLong(bytes.count, path: path)]) }
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    let place = ConfigSource.file(path: path, line: line + 1)
    throw SettingsError([.init(at: place, key: "", "found bytes that are not UTF-8; accepted: a YAML file in UTF-8")])
  }

  /// The root of the tree: a mapping, nothing for a file without content, or `nil` with the problem added.
  static func tree(
    of text: String, path: String, problems: inout [SettingsError.Problem]
  ) -> ConfigValue? {
    guard text.utf8.count <= maxBytes else {
      problems.append(tooLong(text.utf8.count, path: path))
      return nil
    }
    if let refusal = screened(text) {
      problems.append(.init(at: .file(path: path, line: refusal.line), key: "", refusal.message))
      return nil
    }
    do {
      // A byte order mark has no meaning in UTF-8, and the parser does not expect it.
      let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
      // Without rules for tags every scalar stays a text, as in the environment and on the command line.
      let root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
      guard let root else { return ConfigValue(content: .nothing, place: .file(path: path, line: 1)) }
      return given(root, line: root.mark?.line ?? 1, file: path, path: "", problems: &problems)
    } catch {
      problems.append(problem(error, text: text, path: path))
      return nil
    }
  }

  private static func tooLong(_ count: Int, path: String) -> SettingsError.Problem {
    .init(at: .file(path: path, line: 1), key: "", "found a file of \(count) bytes; accepted: at most \(maxBytes)")
  }

  /// Whether a file can have a character only as an escape within quotes: control characters, which the parser reports
  /// without a line, and line separators that only YAML has.
  static func refuses(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x0A, 0x0D: false
    case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0xFFFD, 0xFFFE, 0xFFFF: true
    default: false
    }
  }

  /// The first character that the parser must not get, or what `YAMLScreen` finds.
  private static func screened(_ text: String) -> YAMLScreen.Refusal? {
    var line = 1
    for scalar in text.unicodeScalars {
      if scalar.value == 0x0A { line += 1 }
      guard refuses(scalar) else { continue }
      let code = String(scalar.value, radix: 16, uppercase: true)
      let padding = String(repeating: "0", count: max(0, 4 - code.count))
      return .init(line: line, message: "found the character U+\(padding)\(code); accepted: a YAML file in UTF-8")
    }
    return YAMLScreen.refusal(of: text)
  }

  private static func given(
    _ node: Node, line: Int, file: String, path: String, problems: inout [SettingsError.Problem]
  ) -> ConfigValue {
    let place = ConfigSource.file(path: file, line: line)
    switch node {
    case .scalar(let scalar):
      let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
      return ConfigValue(content: isNothing ? .nothing : .text(scalar.string), place: place)
    case .sequence(let nodes):
      let items = nodes.enumerated().map { number, node in
        given(node, line: node.mark?.line ?? line, file: file, path: "\(path)[\(number)]", problems: &problems)
      }
      return ConfigValue(content: .list(items), place: place)
    case .mapping(let pairs):
      var entries: [ConfigValue.Entry] = []
      for (keyNode, node) in pairs {
        let keyLine = keyNode.mark?.line ?? line
        let keyPlace = ConfigSource.file(path: file, line: keyLine)
        guard let key = keyNode.scalar?.string else {
          problems.append(.init(at: keyPlace, key: path, "found a key that is no text; accepted: KEY: VALUE"))
          continue
        }
        guard !key.isEmpty, !key.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
          let found = ConfigValue(content: .text(key), place: keyPlace).found()
          problems.append(.init(at: keyPlace, key: path, "found the key \(found); accepted: KEY: VALUE"))
          continue
        }
        let keyPath = path.isEmpty ? key : "\(path).\(key)"
        if let first = entries.first(where: { $0.key == key }) {
          problems.append(.init(at: keyPlace, key: keyPath, "given twice, first at \(first.place); keep one"))
          continue
        }
        // The mark of a missing value is somewhere after it.
        let isEmpty = node.scalar?.string.isEmpty ?? false
        let valueLine = isEmpty ? keyLine : node.mark?.line ?? keyLine
        entries.append(
          .init(
            key: key, place: keyPlace,
            value: given(node, line: valueLine, file: file, path: keyPath, problems: &problems)))
      }
      return ConfigValue(content: .mapping(entries), place: place)
    case .alias:
      problems.append(.init(at: place, key: path, "found an alias of YAML; accepted: values written out"))
      return ConfigValue(content: .nothing, place: place)
    }
  }

  private static func problem(_ error: any Error, text: String, path: String) -> SettingsError.Problem {
    // What is missing at the end is on the last line, not below it.
    let lines = max(1, text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).count)
    func told(_ line: Int, _ message: String) -> SettingsError.Problem {
      let line = min(line, lines)
      return .init(at: .file(path: path, line: line), key: "", "\(message); accepted: a YAML file of KEY: VALUE lines")
    }
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
      return told(mark.line, "not YAML: " + [context?.text, problem].compactMap { $0 }.joined(separator: ", "))
    case .composer(_, let problem, let mark, _):
      return told(mark.line, "not one YAML document: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      return .init(at: .file(path: path, line: context.mark.line), key: key, "given twice side by side; keep one")
    default:
      return told(1, "not YAML: \(error)")
    }
  }
}
