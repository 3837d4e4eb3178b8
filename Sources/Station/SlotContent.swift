import Media
import NIOCore

/// What one slot shows: its coded pictures, and the pictures that begin to show in it.
struct SlotContent: Sendable {
  /// A picture that begins to show.
  struct Change: Sendable {
    /// Its step in the slot.
    let step: Int
    /// The picture as `latest.jpg` shows it; `nil` where it could not be coded.
    let jpeg: ByteBuffer?
    /// When its still came.
    let time: WallTime
    /// Whether it has been shown as the latest picture already, and who listens was told.
    var isTold = false
  }

  /// One picture for each step.
  var pictures: [CodedPicture] = []
  /// In their order.
  var changes: [Change] = []
}
