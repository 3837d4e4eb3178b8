import Foundation
import Glibc
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore

/// Keeps a camera's folder to one process: two that wrote there would mix their numbers, and players would see both.
///
/// It is a lock of the kernel's on the folder itself (flock(2)): it ends with the process however that ends, holds by
/// whatever path the folder is reached, and leaves no file.
final class StoreLock: Sendable {
  /// How often a lock that another process holds is tried.
  private static let pause = Duration.milliseconds(100)

  private let folder: String
  private let descriptor: NIOLockedValueBox<CInt>

  private init(folder: String, descriptor: CInt) {
    self.folder = folder
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
  /// - Returns: `nil` on a file system without such locks, as some in networks are.
  /// - Throws: `StoreLockError` where another process goes on holding it, the system's error where the folder cannot be
  ///   made or written, or `CancellationError`.
  static func take(
    folder: String, patience: Duration, onWaiting: (_ holder: String) -> Void
  ) async throws -> StoreLock? {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let deadline = ContinuousClock.now + patience
    var hasWaited = false
    while true {
      switch try attempt(folder) {
      case .locked(let descriptor): return StoreLock(folder: folder, descriptor: descriptor)
      case .impossible: return nil
      case .held(let holder):
        guard ContinuousClock.now < deadline else { throw StoreLockError(folder: folder, holder: holder) }
        if !hasWaited { onWaiting(holder) }
        hasWaited = true
        try await Task.sleep(for: pause)
      }
    }
  }

  /// Locks the folder again where it was taken away and made anew.
  ///
  /// - Returns: whether the folder is this process's.
  func renew() -> Bool {
    descriptor.withLockedValue { descriptor in
      if Self.isFolder(at: folder, descriptor) { return true }
      guard let attempt = try? Self.attempt(folder) else { return true }
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

  private static func attempt(_ folder: String) throws -> Attempt {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open \(folder)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      defer { close(descriptor) }
      return code == EWOULDBLOCK ? .held(by: holder(of: descriptor)) : .impossible
    }
    // Between opening and locking the folder may have been taken away.
    guard isFolder(at: folder, descriptor) else {
      close(descriptor)
      return .held(by: "another server")
    }
    return .locked(descriptor)
  }

  /// The process that has the lock, as far as the system tells (proc_locks(5)).
  private static func holder(of descriptor: CInt) -> String {
    var folder = stat()
    guard fstat(descriptor, &folder) == 0, let text = try? InputFile.text(at: "/proc/locks", most: 1 << 20) else {
      return "another server"
    }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", words[5].hasSuffix(":\(folder.st_ino)"), let process = Int(words[4]),
        process > 0
      else { continue }
      return "another server (process \(process))"
    }
    return "another server"
  }

  private static func isFolder(at path: String, _ descriptor: CInt) -> Bool {
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
