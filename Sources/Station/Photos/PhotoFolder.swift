import Foundation
import Media
import NIOCore
import SystemPackage

/// The photos in a camera's folder in the store, each a file of its own beside the media.
struct PhotoFolder: Sendable {
  /// The folder's path.
  let path: String

  /// The file that says that photos are being withdrawn.
  static let markName = "photos-withdrawn"

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

  /// Reads a photo, blocking; `nil` if it is gone or is not what was written.
  ///
  /// - Throws: the system's error if the disk could not be asked, which says nothing about the photo.
  func read(_ name: PhotoName, bytes: Int) throws -> ByteBuffer? {
    let file: SystemPackage.FileDescriptor
    do {
      file = try .open(FilePath("\(path)/\(name)"), .readOnly, options: .closeOnExec)
    } catch Errno.noSuchFileOrDirectory { return nil }
    return try file.closeAfter {
      let status = try file.stat()
      guard status.type == .regular, status.size == bytes else { return nil }
      return try LoopFolder.content(of: file, size: bytes)
    }
  }
}
