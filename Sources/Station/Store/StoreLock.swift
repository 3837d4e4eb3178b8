import Foundation
import Glibc
import Logging
import NIOConcurrencyHelpers
import NIOCore

/// Keeps a camera's folder to one process: two that wrote there would mix their numbers, and players would see both.
///
/// It is a lock of the kernel's on a file in the folder (flock(2)), so it ends with the process however that ends.
final class StoreLock: Sendable {
  static let fileName = ".quietcam-lock"
  /// How often a lock that another process holds is tried.
  private static let pause = Duration.milliseconds(100)

  private let path: String
  private let descriptor: NIOLockedValueBox<CInt>

  private init(path: String, descriptor: CInt) {
    self.path = path
    self.descriptor = NIOLockedValueBox(descriptor)
  }

  deinit {
    let descriptor = descriptor.withLockedValue { $0 }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Locks a folder, which is made if need be.
  ///
  /// - Parameters:
  ///   - patience: how long another process may still hold it: one that is being replaced ends in that time.
  ///   - onWaiting: told who holds it, when it has to be waited for.
  /// - Returns: `nil` on a file system without locks.
  /// - Throws: `StoreLockError` where another process goes on holding it, the system's error where the folder cannot be
  ///   made or written, or `CancellationError`.
  static func take(
    folder: String, patience: Duration, onWaiting: (_ holder: String) -> Void
  ) async throws -> StoreLock? {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/" + fileName
    let deadline = ContinuousClock.now + patience
    var hasWaited = false
    while true {
      switch try attempt(path) {
      case .locked(let descriptor): return StoreLock(path: path, descriptor: descriptor)
      case .impossible: return nil
      case .held(let holder):
        guard ContinuousClock.now < deadline else { throw StoreLockError(folder: folder, holder: holder) }
        if !hasWaited { onWaiting(holder) }
        hasWaited = true
        try await Task.sleep(for: pause)
      }
    }
  }

  /// Locks the folder again where its file was taken away, so that nobody else can take it meanwhile.
  ///
  /// - Returns: whether the folder is this process's.
  func renew() -> Bool {
    descriptor.withLockedValue { descriptor in
      if Self.isFile(at: path, descriptor) { return true }
      guard let attempt = try? Self.attempt(path) else { return true }
      switch attempt {
      case .locked(let new):
        if descriptor >= 0 { close(descriptor) }
        descriptor = new
        return true
      case .impossible: return true
      case .held: return false
      }
    }
  }

  private enum Attempt {
    case locked(CInt)
    case held(by: String)
    case impossible
  }

  private static func attempt(_ path: String) throws -> Attempt {
    var descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    // A file of another user's can be locked all the same.
    if descriptor < 0, errno == EACCES { descriptor = open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open \(fileName)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      defer { close(descriptor) }
      return code == EWOULDBLOCK ? .held(by: holder(descriptor)) : .impossible
    }
    // Between opening and locking the file may have been taken away with its folder.
    guard isFile(at: path, descriptor) else {
      close(descriptor)
      return .held(by: "another server")
    }
    let text = Array("process \(getpid()) on \(ProcessInfo.processInfo.hostName)\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
    return .locked(descriptor)
  }

  /// What the process that has the lock says of itself.
  private static func holder(_ descriptor: CInt) -> String {
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let text = String(decoding: bytes.prefix(max(0, count)).prefix { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
    return text.isEmpty ? "another server" : "another server (\(text))"
  }

  private static func isFile(at path: String, _ descriptor: CInt) -> Bool {
    var (named, open) = (stat(), stat())
    return stat(path, &named) == 0 && fstat(descriptor, &open) == 0 && named.st_ino == open.st_ino
      && named.st_dev == open.st_dev
  }
}

/// Why a store cannot be used: somebody else does.
struct StoreLockError: Error, CustomStringConvertible {
  let folder: String
  let holder: String

  var description: String {
    "\(holder) uses the store \(folder); end it, give this one a store of its own with --store, or use --store memory"
  }
}
