import Glibc
import Media
import NIOConcurrencyHelpers
import NIOPosix

/// Remembers over a restart up to which time signatures of one camera were used, so that none is accepted again.
///
/// `ReplayGuard` forgets when the process ends. A signature that was used before has a time up to the latest that was
/// accepted; that one is in a file. A camera's next still has a later time, so it is accepted at once. Without a file,
/// as with a store in memory, times before the start of this process are refused.
package final class SignedTimes: Sendable {
  private struct State {
    /// Times up to this one may have been used before this process began, in nanoseconds since 1970.
    var used: Int64?
    /// The latest that is written.
    var reached = Int64.min
  }

  private static let digits = 19
  private let path: String?
  private let start: Int64
  private let state = NIOLockedValueBox(State())

  /// The times of a camera.
  ///
  /// - Parameters:
  ///   - path: the file; `nil` for none. Its folder exists when the first still comes.
  ///   - start: when this process began.
  package init(path: String?, start: WallTime) {
    self.path = path
    self.start = start.milliseconds * 1_000_000
  }

  /// Whether a signature may have been used before this process began.
  package func mayBeUsed(_ signature: BodySignature) async -> Bool {
    let moment = signature.moment
    let used: Int64? = try? await NIOThreadPool.singleton.runIfActive {
      self.state.withLockedValue { state in
        // Not before: the process that this one replaces may have run until now.
        let used = state.used ?? self.path.flatMap(Self.read) ?? self.start
        state.used = used
        return used
      }
    }
    return moment <= used ?? .max
  }

  /// Writes down that a signature is used, before its still is.
  ///
  /// - Throws: the system's error number as `Failure`.
  package func use(_ signature: BodySignature) async throws {
    let moment = signature.moment
    guard let path else { return }
    try await NIOThreadPool.singleton.runIfActive {
      try self.state.withLockedValue { state in
        guard moment > state.reached else { return }
        try Self.write(moment, to: path)
        state.reached = moment
      }
    }
  }

  /// Why the file cannot be written.
  package struct Failure: Error, Hashable, Sendable {
    /// The system's number.
    package let code: CInt
  }

  private static func read(_ path: String) -> Int64? {
    guard let text = try? InputFile.text(at: path, most: 64) else { return nil }
    return Int64(text.prefix { $0 != "\n" })
  }

  private static func write(_ moment: Int64, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw Failure(code: errno) }
    defer { close(file) }
    // Always the same length, in one write: a reader sees the old time or the new one.
    let digits = String(moment)
    let text = String(repeating: "0", count: max(0, Self.digits - digits.count)) + digits + "\n"
    let count = text.utf8.count
    guard Array(text.utf8).withUnsafeBytes({ pwrite(file, $0.baseAddress, count, 0) }) == count else {
      throw Failure(code: errno)
    }
  }
}
