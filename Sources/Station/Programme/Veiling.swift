import Media
import NIOCore
import Packager

/// How the loop takes the place of live pictures under a veil and gives it back, so that nothing tells of it.
///
/// A camera's picture changes when a still comes and never else, and stills come in the camera's rhythm. So the
/// recording is played as it was coded only from a segment on that begins with a new picture, when a still has come to
/// the very slot and the recording can go on in its rhythm. Until then the stream is coded live, and each still that
/// comes is covered by a recorded picture. Likewise the veil is lifted when the recording is in step with the camera,
/// and the recorded picture stands until the next still.
struct Veiling: Sendable {
  /// How many segments a veil waits at most for a still that fits.
  private static let patience = 4

  /// Whether the recording is played as it was coded.
  private(set) var isPlaying = true
  /// The recorded pictures that cover the next stills.
  var covers: [ByteBuffer] = []
  private var tries = 0
  private var waited = 0

  /// Lets the veil fall.
  ///
  /// - Parameter isLive: whether it falls on live pictures; where a recording is shown already it goes on.
  mutating func fall(isLive: Bool) { (isPlaying, tries, waited) = (!isLive, 0, 0) }

  /// Takes up the next segment of the recording; `nil` where it cannot be read and the picture before has to stand.
  mutating func begin(_ segment: LoopSegment?) {
    guard let segment else { return (isPlaying, covers) = (false, []) }
    covers = segment.changes.isEmpty ? [segment.opening] : segment.changes.map(\.jpeg)
  }

  /// Decides with the first slot of a segment whether the segment is played as it was coded.
  ///
  /// - Parameters:
  ///   - places: the steps at which stills that came would show.
  ///   - recorded: those at which recorded pictures do.
  ///   - canGoOn: whether the recording can go on in the camera's rhythm.
  mutating func enter(places: [Int], recorded: [Int], canGoOn: Bool) {
    guard !isPlaying, !places.isEmpty else { return }
    isPlaying = places == recorded && canGoOn || tries >= Self.patience
    tries += 1
  }

  /// Whether the veil stays for one more segment, because the camera's next still would come out of step.
  mutating func stays(isInStep: Bool) -> Bool {
    guard isPlaying, !isInStep, waited < Self.patience else { return false }
    waited += 1
    return true
  }
}
