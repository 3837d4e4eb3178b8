import Media
import Origin
import Settings
import Station
import Testing

/// A file that is not there.
struct NoSuchFile: Error, CustomStringConvertible { let description = "no such file" }

/// Loads as the command does, with `q.yaml` as the file and `files` for token files.
func load(
  _ yaml: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:],
  files: [String: String] = [:]
) throws(SettingsError) -> ServeSettings {
  try ServeSettings.load(file: yaml.map { ("q.yaml", $0) }, environment: environment, flags: flags) { path in
    guard let text = files[path] else { throw NoSuchFile() }
    return text
  }
}

/// The messages of all problems; empty where there are none.
func problems(
  _ yaml: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:],
  files: [String: String] = [:]
) -> [String] {
  do throws(SettingsError) {
    _ = try load(yaml, environment: environment, flags: flags, files: files)
    return []
  } catch {
    return error.problems.map(\.description)
  }
}

/// A file with one camera and these lines under it.
func desk(_ lines: String...) -> String {
  (["cameras:", "  desk:", "    token: s3cret-token"] + lines.map { "    \($0)" }).joined(separator: "\n") + "\n"
}

extension ServeSettings {
  /// The camera of a name.
  func camera(_ name: String) throws -> CameraSettings {
    try #require(cameras.first { $0.name.text == name })
  }

  /// What the listeners know of the camera of a name.
  func door(_ name: String) throws -> DoorSettings {
    let name = try #require(CameraName(name))
    return try #require(doors[name])
  }
}
