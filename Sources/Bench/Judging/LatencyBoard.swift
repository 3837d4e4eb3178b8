import Foundation
import Media
import NIOConcurrencyHelpers
import Station

/// Collects what the clients and the browsers' pages have seen.
package final class LatencyBoard: Sendable {
  private let ways = NIOLockedValueBox<[LatencyHistogram]>([])
  private let last = NIOLockedValueBox<[String: UInt32]>([:])

  private let begin: ContinuousClock.Instant

  /// An empty board.
  ///
  /// - Parameter settling: how long what is seen does not count at first.
  package init(settling: Duration = .zero) { begin = .now + settling }

  /// The wall clock time that stills carry.
  static func now() -> UInt32 {
    UInt32(WallTime.now.milliseconds % Int64(TimePattern.period))
  }

  /// A client has this still on its screen now; only the first time counts.
  func saw(_ time: UInt32, way: String) {
    let age = TimePattern.age(of: time, now: Self.now())
    let isNew = last.withLockedValue { $0.updateValue(time, forKey: way) != time }
    if isNew { add(way, [age], stalls: 0) }
  }

  /// Adds samples in milliseconds and stalls of one way.
  func add(_ way: String, _ samples: [Int], stalls: Int) {
    guard .now >= begin else { return }
    ways.withLockedValue { ways in
      let index = ways.firstIndex { $0.name == way } ?? ways.endIndex
      if index == ways.endIndex { ways.append(LatencyHistogram(name: way)) }
      ways[index].samples += samples
      ways[index].stalls += stalls
    }
  }

  /// What was collected, in the order of the ways' names.
  package var histograms: [LatencyHistogram] { ways.withLockedValue { $0 }.sorted { $0.name < $1.name } }
}
