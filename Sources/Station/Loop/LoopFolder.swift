import Foundation
import NIOCore
import SystemPackage

/// The folder `loop` of a camera, and how a new loop replaces the old one.
///
/// A new loop is written to a folder beside it, locked while its maker lives, and renamed when it is complete. So a
/// maker that is killed leaves the old loop intact, and the next one removes its left-over files.
struct LoopFolder: ~Copyable {
  static let name = "loop"
  private static let newName = ".loop-new"
  private static let oldName = ".loop-old"

  private let camera: String
  /// The folder that is being filled.
  let path: String
  private let lock: SystemPackage.FileDescriptor
  private var isPublished = false

  /// Where the loop of the camera with this folder is; `nil` if there is none. If a maker was killed after it had moved
  /// the old loop away and before the new one was in its place, the old one counts.
  static func path(in camera: String) -> String? {
    [name, oldName].map { "\(camera)/\($0)" }.first { access("\($0)/\(LoopManifest.fileName)", F_OK) == 0 }
  }

  /// What tells one loop in a folder from another: its manifest's file, and when that was written.
  struct Stamp: Hashable, Sendable {
    fileprivate let inode: UInt64
    fileprivate let seconds: Int
    fileprivate let nanoseconds: Int
    fileprivate let size: Int
  }

  /// What the loop of the camera with this folder is told from others by; `nil` where there is none.
  static func stamp(in camera: String) -> Stamp? {
    var status = stat()
    guard let path = path(in: camera), stat("\(path)/\(LoopManifest.fileName)", &status) == 0 else { return nil }
    return Stamp(
      inode: UInt64(status.st_ino), seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec),
      size: Int(status.st_size))
  }

  /// Begins a new loop for the camera with this folder, which is created if needed.
  ///
  /// - Throws: `LoopError` if the folder cannot be written, or another maker is at work.
  init(camera: String) throws(LoopError) {
    let path = "\(camera)/\(Self.newName)"
    do {
      try FileManager.default.createDirectory(atPath: camera, withIntermediateDirectories: true)
    } catch {
      throw LoopError(
        description: "cannot make the folder \(camera): \(error.localizedDescription); check --store and its rights")
    }
    // A web server that serves the store must not serve this: with the loop, viewers could tell it from live pictures.
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw Self.error("cannot make the folder \(path)", Errno(rawValue: errno))
    }
    let lock: SystemPackage.FileDescriptor
    do {
      lock = try .open(FilePath(path), .readOnly, options: [.directory, .closeOnExec])
    } catch { throw Self.error("cannot open the folder \(path)", error) }
    guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0, Self.isSame(lock, path) else {
      try? lock.close()
      throw LoopError(
        description: "another `quietcam loop` is at work for this camera in \(path); wait until it has ended")
    }
    self.camera = camera
    self.path = path
    self.lock = lock
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  deinit {
    if !isPublished { try? FileManager.default.removeItem(atPath: path) }
    try? lock.close()
  }

  /// Writes a file of the new loop and syncs it to disk.
  func write(_ name: String, _ bytes: ByteBuffer) throws(LoopError) {
    let file = "\(path)/\(name)"
    do {
      try StoreFile.write(file, bytes, permissions: .ownerReadWrite, isSynced: true)
    } catch { throw Self.error("cannot write \(file)", error) }
  }

  /// Removes a file of the new loop.
  func remove(_ name: String) { unlink("\(path)/\(name)") }

  /// Puts the new loop in place of the old one, which is removed.
  mutating func publish() throws(LoopError) {
    let (place, old) = ("\(camera)/\(Self.name)", "\(camera)/\(Self.oldName)")
    fsync(lock.rawValue)
    do {
      try StoreFile.rename(path, to: place)
    } catch {
      // There is a loop already. Between these two steps it counts under its other name.
      try? FileManager.default.removeItem(atPath: old)
      do {
        try StoreFile.rename(place, to: old)
        try StoreFile.rename(path, to: place)
      } catch {
        try? StoreFile.rename(old, to: place)
        throw Self.error("cannot put the new loop into its place \(place)", error)
      }
    }
    isPublished = true
    try? FileManager.default.removeItem(atPath: old)
    StoreFile.sync(folder: camera)
  }

  /// The content of a file with a known maximum length.
  static func read(_ path: String, mostBytes: Int) throws(LoopError) -> ByteBuffer {
    do {
      let file = try SystemPackage.FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
      return try file.closeAfter {
        let status = try file.stat()
        guard status.type == .regular else { throw LoopError(description: "\(path) is not a file") }
        guard status.size <= mostBytes else {
          throw LoopError(description: "\(path) has \(status.size) bytes; at most \(mostBytes) are expected")
        }
        return try content(of: file, size: Int(status.size))
      }
    } catch let error as LoopError {
      throw error
    } catch { throw Self.error("cannot read \(path)", error) }
  }

  /// The content of an open file of this many bytes.
  static func content(of file: SystemPackage.FileDescriptor, size: Int) throws -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: size)
    while buffer.readableBytes < size {
      let rest = size - buffer.readableBytes
      let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { target in
        try file.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<rest]))
      }
      // It has become shorter meanwhile.
      guard count > 0 else { throw Errno.ioError }
    }
    return buffer
  }

  private static func isSame(_ descriptor: SystemPackage.FileDescriptor, _ path: String) -> Bool {
    guard let open = try? descriptor.stat(), let named = try? FilePath(path).stat() else { return false }
    return open.inode == named.inode
  }

  private static func error(_ what: String, _ error: any Error) -> LoopError {
    let code = error as? Errno
    let advice =
      switch code {
      case .noSpace, .diskQuotaExceeded: "make room on the disk"
      case .permissionDenied, .notPermitted, .readOnlyFileSystem: "give this user the permission"
      default: "check the store"
      }
    return LoopError(description: "\(what): \(code?.description ?? "\(error)"); \(advice)")
  }
}
