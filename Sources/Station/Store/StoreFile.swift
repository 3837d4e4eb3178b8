import Glibc
import NIOCore
import SystemPackage

/// How files of the store are written; errors are the system's `Errno`.
package enum StoreFile {
  /// What the names of files begin with that are not in their places yet.
  static let temporaryPrefix = ".quietcam-"

  /// Everybody reads the stream, and only its owner writes it.
  static let published: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]

  /// What viewers must not see: whether what is shown is recorded, and what is stored beside it.
  static func permissions(of name: String) -> FilePermissions {
    name.hasSuffix(".json") && name != "photos.json" ? .ownerReadWrite : published
  }

  /// Writes a file, or what stands there anew.
  ///
  /// - Parameter isSynced: whether it is on the disk, and not only in the system's memory, before this returns.
  static func write(
    _ path: String, _ bytes: ByteBuffer, permissions: FilePermissions = published, isSynced: Bool = false
  ) throws {
    let file = try SystemPackage.FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: permissions)
    try file.closeAfter {
      try file.writeAll(bytes.readableBytesView)
      if isSynced { try check(fsync(file.rawValue)) }
    }
  }

  /// Writes a file beside its place and renames it there, so that it appears whole or not at all.
  static func replace(_ name: String, in folder: String, with bytes: ByteBuffer) throws {
    let temporary = folder + "/" + temporaryPrefix + name
    do {
      // One that a process left behind may have other permissions.
      try? remove(temporary)
      try write(temporary, bytes, permissions: permissions(of: name))
      try rename(temporary, to: folder + "/" + name)
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Writes a file that only its owner reads, whole or not at all and on the disk before this returns.
  ///
  /// - Throws: the system's error.
  package static func replacePrivately(_ name: String, in folder: String, with bytes: ByteBuffer) throws {
    let temporary = folder + "/" + temporaryPrefix + name
    do {
      try? remove(temporary)
      try write(temporary, bytes, permissions: .ownerReadWrite, isSynced: true)
      try rename(temporary, to: folder + "/" + name)
    } catch {
      unlink(temporary)
      throw error
    }
    sync(folder: folder)
  }

  /// Gives a file or folder another name; a file of that name is replaced at once.
  static func rename(_ path: String, to other: String) throws { try check(Glibc.rename(path, other)) }

  /// Removes a file, which may be gone already.
  package static func remove(_ path: String) throws {
    do { try check(unlink(path)) } catch Errno.noSuchFileOrDirectory {}
  }

  /// Brings what was renamed in a folder to the disk, as far as the disk knows how.
  package static func sync(folder path: String) {
    guard
      let folder = try? SystemPackage.FileDescriptor.open(
        FilePath(path), .readOnly, options: [.directory, .closeOnExec])
    else {
      return
    }
    fsync(folder.rawValue)
    try? folder.close()
  }

  private static func check(_ result: CInt) throws(Errno) {
    if result != 0 { throw Errno(rawValue: errno) }
  }
}
