import Foundation
import NIOCore

/// The folder `loop` of a camera, and how a new one takes the place of the old.
///
/// A new loop is written to a folder beside it, locked as long as its maker lives, and renamed when it is whole. So a
/// maker that is killed leaves the old loop whole, and its left-overs are swept up by the next.
struct LoopFolder: ~Copyable {
  static let name = "loop"
  private static let newName = ".loop-new"
  private static let oldName = ".loop-old"

  private let camera: String
  /// The folder that is being filled.
  let path: String
  private let lock: Int32
  private var isPublished = false

  /// Where the loop of the camera with this folder lies; `nil` where there is none. Should a maker have been killed
  /// when it had put the old loop aside and not yet the new one in its place, the old one counts.
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

  /// Begins a new loop for the camera with this folder, which is made if need be.
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
    // Whoever serves the store to the world must not serve this: who has the loop can tell it from live pictures.
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Self.error("cannot make the folder \(path)") }
    let lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw Self.error("cannot open the folder \(path)") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0, Self.isSame(lock, path) else {
      close(lock)
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
    close(lock)
  }

  /// Writes a file of the new loop and brings it to the disk.
  func write(_ name: String, _ bytes: ByteBuffer) throws(LoopError) {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.error("cannot write \(file)") }
    defer { close(descriptor) }
    let isWritten = bytes.withUnsafeReadableBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        guard count >= 0 || errno == EINTR else { return false }
        written += max(count, 0)
      }
      return fsync(descriptor) == 0
    }
    guard isWritten else { throw Self.error("cannot write \(file)") }
  }

  /// Takes a file of the new loop away again.
  func remove(_ name: String) { unlink("\(path)/\(name)") }

  /// Puts the new loop into the place of the old one, which is removed.
  mutating func publish() throws(LoopError) {
    let (place, old) = ("\(camera)/\(Self.name)", "\(camera)/\(Self.oldName)")
    fsync(lock)
    if rename(path, place) != 0 {
      // There is a loop already. Between these two steps it counts under its other name.
      try? FileManager.default.removeItem(atPath: old)
      guard rename(place, old) == 0, rename(path, place) == 0 else {
        let error = Self.error("cannot put the new loop into its place \(place)")
        rename(old, place)
        throw error
      }
    }
    isPublished = true
    try? FileManager.default.removeItem(atPath: old)
    let folder = open(camera, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  /// The content of a file, of which it is known how long it is at most.
  static func read(_ path: String, mostBytes: Int) throws(LoopError) -> ByteBuffer {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw error("cannot read \(path)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw LoopError(description: "\(path) is no file")
    }
    let size = Int(status.st_size)
    guard size <= mostBytes else {
      throw LoopError(description: "\(path) has \(size) bytes where at most \(mostBytes) are expected")
    }
    var buffer = ByteBufferAllocator().buffer(capacity: size)
    while buffer.readableBytes < size {
      let rest = size - buffer.readableBytes
      var count = 0
      buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { target in
        count = Glibc.read(descriptor, target.baseAddress, rest)
        return max(0, count)
      }
      guard count > 0 || count < 0 && errno == EINTR else { throw error("cannot read all of \(path)") }
    }
    return buffer
  }

  private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino
  }

  private static func error(_ what: String) -> LoopError {
    let code = errno
    let advice =
      switch code {
      case ENOSPC, EDQUOT: "make room on the disk"
      case EACCES, EPERM, EROFS: "give this user the right to"
      default: "check the store"
      }
    return LoopError(description: "\(what): \(String(cString: strerror(code))); \(advice)")
  }
}
