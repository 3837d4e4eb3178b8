import Media
import NIOConcurrencyHelpers
import NIOCore

/// What one viewer was shown, and when it had arrived.
final class ViewLog: Sendable {
  /// A single picture.
  struct Picture: Sendable {
    let jpeg: ByteBuffer
    /// When the first byte of it came.
    let began: ContinuousClock.Instant
    /// When it was complete.
    let ended: ContinuousClock.Instant
  }

  /// The position of a piece of video.
  enum Beginning: Hashable, Sendable {
    /// The wall clock time of its first picture in its playlist.
    case date(WallTime)
    /// Its first picture's number, counted from the start of the stream.
    case picture(Int)
  }

  /// A part or a segment.
  struct Piece: Sendable {
    let bytes: ByteBuffer
    let begins: Beginning
    let duration: Ticks
    let ended: ContinuousClock.Instant
  }

  /// All of it.
  struct Record: Sendable {
    var pictures: [Picture] = []
    var initialization: ByteBuffer?
    var pieces: [Piece] = []
  }

  private let record = NIOLockedValueBox(Record())

  var all: Record { record.withLockedValue { $0 } }

  func add(_ picture: Picture) { record.withLockedValue { $0.pictures.append(picture) } }

  func add(_ piece: Piece) { record.withLockedValue { $0.pieces.append(piece) } }

  /// Only the first one counts: the ways that are compared never change it while stills come.
  func add(initialization: ByteBuffer) {
    record.withLockedValue { record in
      if record.initialization == nil { record.initialization = initialization }
    }
  }
}
