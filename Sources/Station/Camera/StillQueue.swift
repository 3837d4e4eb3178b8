import Media
import NIOCore

/// The stills that wait for the next slot: bounded in count and bytes; the newest replaces the oldest.
package struct StillQueue: Sendable {
  /// What became of a still.
  package struct Admission: Hashable, Sendable {
    /// How many older stills were dropped for it.
    package let displaced: Int
  }

  private var maxCount: Int
  private var maxBytes: Int
  private var stills: [Still] = []
  private var bytes = 0

  /// A queue of at most this many stills and bytes. One still always fits, so that the limit on bytes never keeps a
  /// large picture out; the size of one still is checked before.
  package init(maxCount: Int, maxBytes: Int) {
    self.maxCount = max(1, maxCount)
    self.maxBytes = maxBytes
  }

  /// Sets other limits; the next still drops what is over them.
  mutating func limit(maxCount: Int, maxBytes: Int) {
    self.maxCount = max(1, maxCount)
    self.maxBytes = maxBytes
  }

  /// How many stills wait.
  package var count: Int { stills.count }

  /// When the oldest still arrived; `nil` if none waits.
  package var oldest: Ticks? { stills.first?.arrival }

  /// Adds a still at the end and drops the oldest ones if there is no room.
  package mutating func push(_ still: Still) -> Admission {
    stills.append(still)
    bytes += still.jpeg.readableBytes
    var displaced = 0
    while stills.count > 1, stills.count > maxCount || bytes > maxBytes {
      bytes -= stills.removeFirst().jpeg.readableBytes
      displaced += 1
    }
    return Admission(displaced: displaced)
  }

  /// Takes all stills, oldest first.
  package mutating func takeAll() -> [Still] {
    defer {
      stills.removeAll(keepingCapacity: true)
      bytes = 0
    }
    return stills
  }

  /// Takes the stills that arrived at `cutoff` or earlier, oldest first.
  package mutating func take(arrivedBy cutoff: Ticks) -> [Still] {
    let taken = Array(stills.prefix { $0.arrival <= cutoff })
    stills.removeFirst(taken.count)
    bytes -= taken.reduce(0) { $0 + $1.jpeg.readableBytes }
    return taken
  }
}
