import Access
import Media

/// A file `NAME.yaml` of the folder `cameras.d`, which the server writes for a camera that was set over HTTP: the lines
/// that could stand under `cameras: NAME:`.
package struct CameraFile: Hashable, Sendable {
  /// The ending of its name.
  package static let ending = ".yaml"

  /// Its path, for error messages; the last piece is its name.
  package let path: String
  /// Its content.
  package let bytes: [UInt8]

  /// A file with this content.
  package init(path: String, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }

  /// The name of the file of a camera.
  package static func name(of camera: CameraName) -> String { camera.text + ending }

  /// The camera that it is for; `nil` if its name is not `NAME.yaml`.
  package var camera: CameraName? {
    let name = path.split(separator: "/").last ?? ""
    return name.hasSuffix(Self.ending) ? CameraName(name.dropLast(Self.ending.count)) : nil
  }

  /// Its camera with the settings that it gives; `nil` with the problems added.
  func read(problems: inout [SettingsError.Problem]) -> FileLayer.Camera? {
    let place = ConfigSource.file(path: path, line: 1)
    guard let camera else {
      problems.append(
        .init(
          at: place, key: "", "found a file of this name; accepted: NAME\(Self.ending), where NAME is a camera's name"))
      return nil
    }
    guard let tree = tree(problems: &problems) else { return nil }
    return FileLayer.Camera(
      name: camera, place: place, changes: FileLayer.camera(tree, path: "", isDefaults: false, problems: &problems))
  }

  private func tree(problems: inout [SettingsError.Problem]) -> ConfigValue? {
    do throws(SettingsError) {
      return SettingsFile.tree(of: try SettingsFile.text(of: bytes, path: path), path: path, problems: &problems)
    } catch {
      problems += error.problems
      return nil
    }
  }

  /// The file that the server writes for settings that were sent as YAML or JSON.
  ///
  /// Only the digest of a token is written. Where none is sent, the one that the file has had before stays.
  ///
  /// - Parameters:
  ///   - text: what was sent.
  ///   - earlier: the file that stands there now.
  /// - Throws: all mistakes, each with its line in `text`.
  package static func written(
    _ text: String, for camera: CameraName, path: String, in place: String, earlier: CameraFile?
  ) throws(SettingsError) -> CameraFile {
    var problems: [SettingsError.Problem] = []
    let sent = SettingsFile.tree(of: text, path: place, problems: &problems)
    // All keys and values are tried, so that every mistake is told with its line in what was sent.
    if let sent { _ = FileLayer.camera(sent, path: "", isDefaults: false, problems: &problems) }
    guard problems.isEmpty, let sent else { throw SettingsError(problems) }
    var entries: [ConfigValue.Entry] = []
    if case .mapping(let given) = sent.content { entries = given }
    if !entries.contains(where: { tokenKeys.contains($0.key) }) {
      var ignored: [SettingsError.Problem] = []
      if case .mapping(let before) = earlier?.tree(problems: &ignored)?.content {
        entries += before.filter { tokenKeys.contains($0.key) }
      }
    }
    entries = entries.map { entry in
      guard entry.key == "token", case .text(let secret) = entry.value.content else { return entry }
      let digest = TokenDigest(secret) ?? TokenDigest(of: secret)
      let value = ConfigValue(content: .text(digest.description), place: entry.value.place)
      return ConfigValue.Entry(key: entry.key, place: entry.place, value: value)
    }
    var lines = ["# Written by Quietcam, and written anew with each change over HTTP: PUT /cameras/\(camera)"]
    for entry in entries { entry.write(to: &lines, indent: 0) }
    return CameraFile(path: path, bytes: Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  /// What a camera is set to, and where, as one line of JSON: without what stands under `defaults`, and without its
  /// token.
  ///
  /// - Parameters:
  ///   - file: the path and the text of the configuration.
  ///   - own: the camera's own file.
  package static func report(
    of camera: CameraName, file: (path: String, text: String)?, own: CameraFile?
  ) -> String {
    var ignored: [SettingsError.Problem] = []
    var (entries, places, hasToken) = ([ConfigValue.Entry](), [String](), false)
    func take(_ tree: ConfigValue, at place: String) {
      places.append(place)
      guard case .mapping(let given) = tree.content else { return }
      for entry in given {
        if tokenKeys.contains(entry.key) { hasToken = true }
        entries.removeAll { $0.key == entry.key }
        if entry.key != "token" { entries.append(entry) }
      }
    }
    if let file, let top = SettingsFile.tree(of: file.text, path: file.path, problems: &ignored),
      case .mapping(let cameras) = top["cameras"]?.content,
      let entry = cameras.first(where: { $0.key == camera.text })
    {
      take(entry.value, at: entry.place.description)
    }
    if let own, let tree = own.tree(problems: &ignored) { take(tree, at: own.path) }
    let settings = ConfigValue(content: .mapping(entries), place: .standard).json
    return "{\"camera\":\(camera.text.jsonQuoted),\"settings\":\(settings),\"hasToken\":\(hasToken)"
      + ",\"from\":[\(places.map(\.jsonQuoted).joined(separator: ","))]}"
  }
}

extension ConfigValue {
  /// The value of a key in a mapping.
  fileprivate subscript(key: String) -> ConfigValue? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  fileprivate var json: String {
    switch content {
    case .text(let text): text.jsonQuoted
    case .list(let items): "[\(items.map(\.json).joined(separator: ","))]"
    case .mapping(let entries):
      "{\(entries.map { "\($0.key.jsonQuoted):\($0.value.json)" }.joined(separator: ","))}"
    case .nothing: "null"
    }
  }

  /// The value behind a key or the dash of a list: a text in quotes, or an empty list or mapping.
  fileprivate var inline: String? {
    switch content {
    case .text(let text): text.quotedForFile
    case .list(let items): items.isEmpty ? "[]" : nil
    case .mapping(let entries): entries.isEmpty ? "{}" : nil
    case .nothing: "~"
    }
  }

  fileprivate func write(to lines: inout [String], indent: Int) {
    let space = String(repeating: " ", count: indent)
    switch content {
    case .list(let items):
      for item in items {
        guard item.inline == nil else {
          lines.append("\(space)- \(item.inline ?? "")")
          continue
        }
        lines.append("\(space)-")
        item.write(to: &lines, indent: indent + 2)
      }
    case .mapping(let entries): for entry in entries { entry.write(to: &lines, indent: indent) }
    case .text, .nothing: break
    }
  }
}

extension ConfigValue.Entry {
  fileprivate func write(to lines: inout [String], indent: Int) {
    let space = String(repeating: " ", count: indent)
    let name = key.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 } ? key : key.quotedForFile
    guard value.inline == nil else { return lines.append("\(space)\(name): \(value.inline ?? "")") }
    lines.append("\(space)\(name):")
    value.write(to: &lines, indent: indent + 2)
  }
}

extension String {
  /// The text in the quotes of YAML, in which JSON's escapes mean the same. What a file can have only as an escape is one,
  /// so that the next process can read what this one has written.
  fileprivate var quotedForFile: String {
    jsonQuoted.unicodeScalars.reduce(into: "") { result, scalar in
      guard SettingsFile.refuses(scalar) else { return result.unicodeScalars.append(scalar) }
      let code = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: max(0, 4 - code.count)) + code
    }
  }
}
