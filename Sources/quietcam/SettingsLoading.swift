import ArgumentParser
import Foundation
import Settings

extension ServeSettings {
  /// The settings from file, environment and flags.
  ///
  /// - Parameters:
  ///   - config: the path of the file; `nil` takes that of the environment, if it is set.
  ///   - flags: by the keys of the settings.
  static func load(config: String?, flags: [String: String]) throws -> ServeSettings {
    let environment = ProcessInfo.processInfo.environment
    do {
      let path = config ?? environment["QUIETCAM_CONFIG"]
      let file = try path.map { path in
        guard let bytes = FileManager.default.contents(atPath: path) else {
          throw ValidationError("cannot read the settings in \(path); check the path and the permissions")
        }
        return (path: path, text: try SettingsFile.text(of: Array(bytes), path: path))
      }
      return try ServeSettings.load(
        file: file, environment: environment, flags: flags,
        readFile: { try String(contentsOfFile: $0, encoding: .utf8) })
    } catch let error as SettingsError {
      throw ValidationError(error.description)
    }
  }
}
