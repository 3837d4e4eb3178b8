import ArgumentParser
import Foundation
import Media
import Settings

extension ServeSettings {
  /// The most bytes of a file with a token or a key.
  static let mostSecretBytes = 65_536

  /// The settings from file, environment and flags.
  ///
  /// - Parameters:
  ///   - config: the path of the file, which may be a pipe; `nil` takes that of the environment, if it is set.
  ///   - flags: by the keys of the settings.
  static func load(config: String?, flags: [String: String]) throws -> ServeSettings {
    let environment = ProcessInfo.processInfo.environment
    do {
      let path = config ?? environment["QUIETCAM_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
      return try ServeSettings.load(
        file: try path.map { (path: $0, text: try text(ofSettings: $0)) }, environment: environment, flags: flags,
        readFile: { try InputFile.text(at: $0, most: mostSecretBytes) })
    } catch let error as SettingsError {
      throw ValidationError(error.description)
    }
  }

  private static func text(ofSettings path: String) throws -> String {
    do {
      return try SettingsFile.text(of: try InputFile.bytes(at: path, most: SettingsFile.maxBytes), path: path)
    } catch let error as InputFile.Problem {
      throw ValidationError(
        "cannot read the settings in \(path): \(error); check the path and the right to read it")
    }
  }
}
