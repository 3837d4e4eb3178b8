import Foundation
import Media
import NIOCore

/// The photos in a camera's folder in the store, each a file of its own beside the media.
struct PhotoFolder: Sendable {
  /// The folder's path.
  let path: String

  /// Says that photos are being taken back.
  private static let markName = "photos-withdrawn"

  /// What lies there.
  ///
  /// - Throws: the file system's error where the folder cannot be read.
  func contents() throws -> (photos: [(name: PhotoName, bytes: Int)], isMarked: Bool) {
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    let photos = names.compactMap { file -> (name: PhotoName, bytes: Int)? in
      guard let name = PhotoName(file) else { return nil }
      var status = stat()
      guard lstat("\(path)/\(file)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
      return (name, Int(status.st_size))
    }
    return (photos, names.contains(Self.markName))
  }

  /// Does a step, blocking.
  ///
  /// - Parameter jpeg: the picture that is to be written.
  func perform(_ step: PhotoShelf.Step, jpeg: ByteBuffer?) throws {
    switch step {
    case .mark: try Mirror.replace(Self.markName, in: path, with: ByteBuffer())
    case .unmark: try remove(Self.markName)
    case .remove(let name): try remove(name.description)
    case .write(let name): try Mirror.replace(name.description, in: path, with: jpeg ?? ByteBuffer())
    }
  }

  /// Reads a photo, blocking; `nil` where it is not what was written.
  func read(_ name: PhotoName, bytes: Int) -> ByteBuffer? {
    guard let jpeg = try? LoopFolder.read("\(path)/\(name)", mostBytes: bytes), jpeg.readableBytes == bytes else {
      return nil
    }
    return jpeg
  }

  private func remove(_ name: String) throws {
    guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
      throw IOError(errnoCode: errno, reason: "unlink \(name)")
    }
  }
}
