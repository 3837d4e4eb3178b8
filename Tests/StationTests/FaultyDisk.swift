import Dispatch
import Glibc
import NIOConcurrencyHelpers
import SystemPackage

@testable import Station

/// A disk that fails when a test says so: for a while, as full and forbidden ones do, or for ever, as for a process
/// that was killed.
final class FaultyDisk: Sendable {
  enum Mood: Equatable {
    case good
    case failing(code: Errno)
    /// Nothing comes back until the mood changes.
    case hanging
    /// So many steps more, and none after them.
    case dying(after: Int)
  }

  private let mood = NIOLockedValueBox(Mood.good)
  private let isFree = DispatchSemaphore(value: 0)

  var isGood: Bool { mood.withLockedValue { $0 == .good } }

  var isHanging: Bool { mood.withLockedValue { $0 == .hanging } }

  func become(_ new: Mood) {
    mood.withLockedValue { $0 = new }
    // Several threads may hang.
    for _ in 0..<4 { isFree.signal() }
  }

  /// What a reader of loops calls before each access.
  @Sendable func willRead() { while isHanging { isFree.wait() } }

  /// What a mirror calls before each of its steps.
  func willDo(_ step: MirrorPlan.Step) throws {
    while mood.withLockedValue({ $0 == .hanging }) { isFree.wait() }
    try mood.withLockedValue { mood in
      switch mood {
      case .good, .hanging: break
      case .failing(let code): if case .write = step { throw code }
      case .dying(0): throw CancellationError()
      case .dying(let steps): mood = .dying(after: steps - 1)
      }
    }
  }
}
