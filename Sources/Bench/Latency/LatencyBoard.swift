import Foundation
import Media
import Station
import Synchronization

/// Collects what the clients and the browsers' pages have seen.
public final class LatencyBoard: Sendable {
  private let ways = Mutex<[LatencyHistogram]>([])
  private let last = Mutex<[String: UInt32]>([:])

  /// An empty board.
  public init() {}

  /// The wall clock time that stills carry.
  static func now() -> UInt32 {
    UInt32(WallTime.now.milliseconds % Int64(TimePattern.period))
  }

  /// A client has this still on its screen now; only the first time counts.
  func saw(_ time: UInt32, way: String) {
    let age = TimePattern.age(of: time, now: Self.now())
    let isNew = last.withLock { $0.updateValue(time, forKey: way) != time }
    if isNew { add(way, [age], stalls: 0) }
  }

  /// Adds samples in milliseconds and stalls of one way.
  func add(_ way: String, _ samples: [Int], stalls: Int) {
    ways.withLock { ways in
      let index = ways.firstIndex { $0.name == way } ?? ways.endIndex
      if index == ways.endIndex { ways.append(LatencyHistogram(name: way)) }
      ways[index].samples += samples
      ways[index].stalls += stalls
    }
  }

  /// What was collected, in the order of the ways' names.
  public var histograms: [LatencyHistogram] { ways.withLock { $0 }.sorted { $0.name < $1.name } }
}
