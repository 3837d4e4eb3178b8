import Media
import NIOCore
import Packager

/// How the loop replaces live pictures under a veil and gives way to them again without a trace.
///
/// A camera's picture changes only when a still comes, and stills come in the camera's rhythm. So the loop's encoded
/// segments are played where their own times follow what was told of the camera's stills. Until then, and again before
/// the camera is shown, the stream is encoded live, and pictures of the loop cover the stills that come.
struct Veiling: Sendable {
  /// How many segments a veil waits at least, and how long, before it ends out of step with the camera.
  private static let patience = (segments: 4, time: Ticks.seconds(90))

  /// What the current segment does.
  enum Mode: Hashable, Sendable {
    /// The loop's encoded segment plays, and its stills are said to have come so much later than in the loop.
    case playing(shift: Ticks)
    /// The camera has stopped: the loop's picture stays until the segment ends.
    case standing
    /// Pictures of the loop cover the camera's stills.
    case covering
    /// The veil ends and is in step with the camera: what is left of the segment shows the camera's stills.
    case revealing
  }

  private(set) var mode = Mode.covering
  /// The loop's pictures that cover the next stills.
  var covers = CoverQueue()
  private var waited = 0

  /// Whether the loop's encoded segments are used.
  var isPlaying: Bool { if case .playing = mode { true } else { false } }

  /// Whether it waits until it is in step with the camera, to end.
  var isEnding: Bool { waited > 0 }

  /// Starts the veil.
  mutating func fall() { (mode, covers, waited) = (.covering, CoverQueue(), 0) }

  /// Takes the next segment of the loop.
  mutating func begin(_ segment: LoopPlayer.Veiled) {
    switch segment {
    case .plays(_, let shift): (mode, covers) = (.playing(shift: shift), CoverQueue())
    case .covers(let segments):
      mode = .covering
      covers.append(segments)
    }
  }

  /// Lets the loop's picture stay until the segment ends.
  mutating func stand() { if isPlaying { mode = .standing } }

  /// Shows the camera's stills until the segment ends, after which the veil does.
  mutating func reveal() {
    guard isEnding, mode == .covering else { return }
    mode = .revealing
    covers.miss()
  }

  /// Forgets the pictures that were to cover stills: the veil is over.
  mutating func end() { covers = CoverQueue() }

  /// Whether the veil continues for one more segment, because the camera's next still would come out of step.
  ///
  /// - Parameter segment: how long segments are.
  mutating func stays(isInStep: Bool, segment: Ticks) -> Bool {
    let isPatient = waited < Self.patience.segments || segment * Int64(waited) < Self.patience.time
    guard !isInStep, isPatient else { return false }
    waited += 1
    return true
  }

  /// Notes that the veil is to go on.
  mutating func goOn() { waited = 0 }
}
