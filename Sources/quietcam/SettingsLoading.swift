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
    do {
      return try SettingsInput(config: config, flags: flags).load().settings
    } catch let error as SettingsError {
      throw ValidationError(error.description)
    }
  }
}

/// Where the settings of a process come from, so that they can be read anew.
struct SettingsInput: Sendable {
  /// What was read: what came of it, and the texts that it came of.
  struct Loaded: Sendable {
    var settings: ServeSettings
    /// The configuration.
    var file: (path: String, text: String)?
    /// The folder of the files that the server writes; `nil` where none lasts.
    var folder: CameraFolder?
    /// Those files, by camera.
    var cameraFiles: [CameraFile]
  }

  /// The path of the configuration; `nil` if there is none.
  let config: String?
  private let environment: [String: String]
  private let flags: [String: String]
  private let tokens = ProcessTokens()

  /// The input of this process.
  init(config: String?, flags: [String: String]) {
    environment = ProcessInfo.processInfo.environment
    self.flags = flags
    self.config = config ?? environment["QUIETCAM_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether the configuration can be read as often as one likes, as a pipe cannot.
  var isReadable: Bool {
    config.map { InputFile.isPlain(at: $0) || !FileManager.default.fileExists(atPath: $0) } ?? true
  }

  /// Reads everything.
  ///
  /// - Throws: `SettingsError` with all mistakes, or what the system says of the configuration.
  func load() throws -> Loaded {
    try load(try config.map { (path: $0, text: try Self.text(ofSettings: $0)) }, cameraFiles: nil)
  }

  /// Combines these texts; files that a setting names are read anew.
  ///
  /// - Parameter known: the files of `cameras.d`; `nil` reads them.
  func load(_ file: (path: String, text: String)?, cameraFiles known: [CameraFile]?) throws -> Loaded {
    var (folder, files): (CameraFolder?, [CameraFile]) = (nil, [])
    let settings = try ServeSettings.load(
      file: file, environment: environment, flags: flags, tokens: tokens,
      cameraFiles: { store in
        folder = CameraFolder(config: config, store: store)
        files = try known ?? folder?.read() ?? []
        return files
      }, readFile: { try InputFile.text(at: $0, most: ServeSettings.mostSecretBytes) })
    return Loaded(settings: settings, file: file, folder: folder, cameraFiles: files)
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
