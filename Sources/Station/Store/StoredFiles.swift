import Foundation
import NIOCore

/// The files that a camera's stream goes on from: those of its folder in the store, or those that a loop of the same
/// process has left in memory.
enum StoredFiles: Sendable {
  /// Those of a folder.
  case folder(String)
  /// Those with these names.
  case memory([String: ByteBuffer])

  /// The names of all files; none where they cannot be read.
  var names: [String] {
    switch self {
    case .folder(let path): (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    case .memory(let files): Array(files.keys)
    }
  }

  /// The content of a file; `nil` if it does not exist.
  func file(_ name: String) -> ByteBuffer? {
    switch self {
    case .folder(let path): Mirror.file(name, in: path)
    case .memory(let files): files[name]
    }
  }
}
