import Media
import NIOConcurrencyHelpers

/// How long one listener took for its answers, and which statuses they had.
package final class AnswerTimes: Sendable {
  /// What was asked for.
  package enum Kind: String, Sendable, CaseIterable {
    /// A playlist as it is.
    case playlist
    /// A playlist that is answered when a part is published: such requests wait on purpose.
    case reload
    /// An init segment, a segment or a part; one that is announced and not there yet is waited for.
    case media
    /// A picture: `latest.jpg` or a photo.
    case picture
    /// An event stream, until its first byte.
    case events
    /// Everything else that viewers ask for.
    case page
    /// A still, with the time that its bytes take.
    case still
    /// What operators ask for.
    case operation

    /// The place among all cases.
    fileprivate var index: Int {
      switch self {
      case .playlist: 0
      case .reload: 1
      case .media: 2
      case .picture: 3
      case .events: 4
      case .page: 5
      case .still: 6
      case .operation: 7
      }
    }
  }

  /// The upper ends of the ranges in milliseconds.
  private static let milliseconds: [Int64] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

  /// The kinds that the listener has, with the times until the head of the answer.
  package let times: [(kind: Kind, histogram: Histogram)]
  /// By the index of the kind.
  private let byKind: [Histogram?]
  private let statuses = NIOLockedValueBox([Int64](repeating: 0, count: 5))

  /// No answers so far.
  package init(_ kinds: [Kind]) {
    times = kinds.map { ($0, Histogram(milliseconds: Self.milliseconds)) }
    let known = Dictionary(uniqueKeysWithValues: times.map { ($0.kind, $0.histogram) })
    byKind = Kind.allCases.map { known[$0] ?? known[kinds.last ?? $0] }
  }

  /// Counts an answer.
  ///
  /// - Parameters:
  ///   - kind: one that this listener does not have counts as the last of those that it has.
  ///   - status: of HTTP; one that is not from 100 to 599 is not counted.
  package func add(_ kind: Kind, status: Int, after duration: Duration) {
    byKind[kind.index]?.add(duration)
    guard (100..<600).contains(status) else { return }
    statuses.withLockedValue { $0[status / 100 - 1] += 1 }
  }

  /// How many answers had a status of 1xx, 2xx, 3xx, 4xx and 5xx, in this order.
  package var counted: [Int64] { statuses.withLockedValue { $0 } }
}
