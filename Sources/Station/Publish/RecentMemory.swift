import NIOConcurrencyHelpers

/// The memory that all cameras together may take for what they showed lately.
///
/// Where it would be more, the camera that has the most forgets its oldest segment. Each keeps its newest one.
package final class RecentMemory: Sendable {
  private struct Share {
    weak var media: RecentMedia?
    var bytes: Int
    var segments: Int
  }

  private let limit: Int
  private let shares = NIOLockedValueBox<[ObjectIdentifier: Share]>([:])

  /// - Parameter limit: in bytes.
  package init(limit: Int) { self.limit = limit }

  /// What all have, in bytes.
  package var bytes: Int { shares.withLockedValue { $0.values.reduce(0) { $0 + $1.bytes } } }

  /// Notes what one has now.
  func note(_ media: RecentMedia, bytes: Int, segments: Int) {
    let share = Share(media: media, bytes: bytes, segments: segments)
    shares.withLockedValue { $0[ObjectIdentifier(media)] = share }
  }

  /// Forgets one that ends.
  func leave(_ media: ObjectIdentifier) { shares.withLockedValue { $0[media] = nil } }

  /// Has cameras forget as much as is too much.
  func makeRoom() {
    while let (id, share) = fullest() {
      // Not under the lock: the last reference to it may end here, and it then leaves.
      if let media = share.media { media.forgetOldest() } else { leave(id) }
    }
  }

  /// The one that has to forget something; `nil` if all together have no more than they may, or each has one segment.
  private func fullest() -> (key: ObjectIdentifier, value: Share)? {
    shares.withLockedValue { shares in
      guard shares.values.reduce(0, { $0 + $1.bytes }) > limit else { return nil }
      return shares.filter { $0.value.segments > 1 }.max { $0.value.bytes < $1.value.bytes }
    }
  }
}
