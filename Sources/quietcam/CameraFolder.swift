import Foundation
import Media
import NIOCore
import Settings
import Station

/// The folder `cameras.d` with the files of cameras that were set over HTTP: beside the configuration, or in the store
/// where there is none or it is a pipe. Only the server writes there.
struct CameraFolder: Sendable {
  /// Its path.
  let path: String

  private static let name = "cameras.d"
  private static let mostBytes = 1 << 20

  /// The folder for a process with this configuration; `nil` where nothing lasts.
  init?(config: String?, store: ServeSettings.Store) {
    if let config, InputFile.isPlain(at: config) {
      let folder = config.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
      path = folder.isEmpty ? (config.hasPrefix("/") ? "/\(Self.name)" : Self.name) : "\(folder)/\(Self.name)"
    } else if case .folder(let store) = store {
      path = "\(store)/\(Self.name)"
    } else {
      return nil
    }
  }

  /// The path of a camera's file.
  func path(of camera: CameraName) -> String { "\(path)/\(CameraFile.name(of: camera))" }

  /// Its files, by name; none where the folder does not exist. Hidden files and those that end in `~` are somebody's
  /// editor's.
  ///
  /// - Throws: what the system says.
  func read() throws -> [CameraFile] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      .filter { !$0.hasPrefix(".") && !$0.hasSuffix("~") }
      .map { name in
        let file = "\(path)/\(name)"
        do {
          return CameraFile(path: file, bytes: try InputFile.bytes(at: file, most: Self.mostBytes))
        } catch {
          throw CameraFolderError(description: "\(file) cannot be read (\(error)); give this user the right to read it")
        }
      }
  }

  /// Writes a file, whole or not at all, for its owner alone.
  func write(_ file: CameraFile) throws {
    let name = file.path.split(separator: "/").last.map(String.init) ?? ""
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try StoreFile.replacePrivately(name, in: path, with: ByteBuffer(bytes: file.bytes))
    } catch {
      throw unwritable(error)
    }
  }

  /// Removes the file of a camera.
  func remove(_ camera: CameraName) throws {
    do {
      try StoreFile.remove(path(of: camera))
      StoreFile.sync(folder: path)
    } catch {
      throw unwritable(error)
    }
  }

  private func unwritable(_ error: any Error) -> CameraFolderError {
    CameraFolderError(
      description: "\(path) cannot be written (\(error.localizedDescription)); let this user write there, and in a "
        + "systemd unit add ReadWritePaths=\(path)")
  }
}

/// Why a camera's settings cannot be kept, as one sentence.
struct CameraFolderError: Error, CustomStringConvertible {
  let description: String
}
