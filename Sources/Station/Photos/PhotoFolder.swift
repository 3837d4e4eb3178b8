import Foundation
import Media
import NIOCore

/// The photos in a camera's folder in the store, each a file of its own beside the media.
struct PhotoFolder: Sendable {
  /// The folder's path.
  let path: String

  /// The file that says that photos are being withdrawn.
  private static let markName = "photos-withdrawn"

  /// The photos in the folder.
  ///
  /// - Throws: the file system's error if the folder cannot be read.
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
  /// - Parameter jpeg: the picture to write.
  func perform(_ step: PhotoShelf.Step, jpeg: ByteBuffer?) throws {
    switch step {
    case .mark: try StoreFile.replace(Self.markName, in: path, with: ByteBuffer())
    case .unmark: try StoreFile.remove(path + "/" + Self.markName)
    case .remove(let name): try StoreFile.remove("\(path)/\(name)")
    case .write(let name): try StoreFile.replace(name.description, in: path, with: jpeg ?? ByteBuffer())
    }
  }

  /// Reads a photo, blocking; `nil` if it is not what was written.
  func read(_ name: PhotoName, bytes: Int) -> ByteBuffer? {
    guard let jpeg = try? LoopFolder.read("\(path)/\(name)", mostBytes: bytes), jpeg.readableBytes == bytes else {
      return nil
    }
    return jpeg
  }
}
