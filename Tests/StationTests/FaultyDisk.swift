import Glibc
import NIOCore
import Synchronization

@testable import Station

/// A disk that fails when a test says so: for a while, as full and forbidden ones do, or for ever, as for a process
/// that was killed.
final class FaultyDisk: Sendable {
  enum Mood: Equatable {
    case good
    case failing(code: CInt)
    /// So many steps more, and none after them.
    case dying(after: Int)
  }

  private let mood = Mutex(Mood.good)

  var isGood: Bool { mood.withLock { $0 == .good } }

  func become(_ new: Mood) { mood.withLock { $0 = new } }

  /// What a mirror calls before each of its steps.
  func willDo(_ step: MirrorPlan.Step) throws {
    try mood.withLock { mood in
      switch mood {
      case .good: break
      case .failing(let code): if case .write = step { throw IOError(errnoCode: code, reason: "\(step)") }
      case .dying(0): throw CancellationError()
      case .dying(let steps): mood = .dying(after: steps - 1)
      }
    }
  }
}
