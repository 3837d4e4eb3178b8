import Media
import NIOCore
import Packager

/// How the loop replaces live pictures under a veil and gives way to them again without a trace.
///
/// A camera's picture changes only when a still comes, and stills come in the camera's rhythm. So the loop's encoded
/// segments are used only from a segment on that begins with a new picture, when a still has come in the same slot and
/// the loop can continue in the camera's rhythm. Until then the stream is encoded live, and each arriving still is
/// covered by a picture of the loop. In the same way the veil ends when the loop is in step with the camera, and the
/// loop's picture stays until the next still.
struct Veiling: Sendable {
  /// How many segments a veil waits at most for a still that fits.
  private static let patience = 4

  /// Whether the loop's encoded segments are used.
  private(set) var isPlaying = true
  /// The loop's pictures that cover the next stills.
  var covers: [ByteBuffer] = []
  private var tries = 0
  private var waited = 0

  /// Starts the veil.
  ///
  /// - Parameter isLive: whether it starts with live pictures; if a loop is shown already, it continues.
  mutating func fall(isLive: Bool) { (isPlaying, tries, waited) = (!isLive, 0, 0) }

  /// Takes the next segment of the loop; `nil` if it cannot be read and the picture before must stay.
  mutating func begin(_ segment: LoopSegment?) {
    guard let segment else { return (isPlaying, covers) = (false, []) }
    covers = segment.changes.isEmpty ? [segment.opening] : segment.changes.map(\.jpeg)
  }

  /// Decides with the first slot of a segment whether the loop's encoded segment is used.
  ///
  /// - Parameters:
  ///   - places: the steps at which the arrived stills would show.
  ///   - recorded: the steps at which the loop's pictures show.
  ///   - canGoOn: whether the loop can continue in the camera's rhythm.
  mutating func enter(places: [Int], recorded: [Int], canGoOn: Bool) {
    guard !isPlaying, !places.isEmpty else { return }
    isPlaying = places == recorded && canGoOn || tries >= Self.patience
    tries += 1
  }

  /// Whether the veil continues for one more segment, because the camera's next still would come out of step.
  mutating func stays(isInStep: Bool) -> Bool {
    guard isPlaying, !isInStep, waited < Self.patience else { return false }
    waited += 1
    return true
  }
}
