import Media
import NIOConcurrencyHelpers

/// What the operator's page knows of viewers and of the past.
protocol OperatorRecords: Sendable {
  /// How many watch a camera now.
  func viewers(of camera: CameraName) -> Int
  /// Writes down what was done. Does not wait for the disk.
  func note(_ action: OperatorAction)
  /// What was done last, newest first.
  ///
  /// - Parameter camera: only what was done with it; `nil` for everything.
  func actions(of camera: CameraName?, most: Int) async throws -> [OperatorAction]
  /// The sums of each hour, or of each day, that began in this range of seconds since 1970, oldest first.
  ///
  /// - Parameter camera: only its; `nil` for all cameras, each with rows of its own.
  func rows(byDay: Bool, of camera: CameraName?, within range: Range<Int64>) async throws -> [HistoryRow]
}

/// Records in memory: the newest actions until the process ends, and nothing of viewers.
final class MemoryRecords: OperatorRecords {
  private static let most = 500
  private let actions = NIOLockedValueBox<[OperatorAction]>([])

  /// No records.
  init() {}

  func viewers(of camera: CameraName) -> Int { 0 }

  func note(_ action: OperatorAction) {
    actions.withLockedValue { actions in
      actions.append(action)
      if actions.count > Self.most { actions.removeFirst() }
    }
  }

  func actions(of camera: CameraName?, most: Int) async -> [OperatorAction] {
    let all = actions.withLockedValue { $0 }
    return Array(all.reversed().filter { camera == nil || $0.camera == camera }.prefix(most))
  }

  func rows(byDay: Bool, of camera: CameraName?, within range: Range<Int64>) async -> [HistoryRow] { [] }
}
