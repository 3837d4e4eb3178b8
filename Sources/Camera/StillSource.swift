import Media
import NIOCore

/// One beat of a pusher.
package struct Beat: Hashable, Sendable {
  /// Its number, counted from 0; missed beats are counted too.
  package let index: Int64
  /// Its time on the pusher's own timeline, which begins with beat 0.
  package let time: Ticks

  /// Beat number `index` at `time`.
  package init(index: Int64, time: Ticks) {
    self.index = index
    self.time = time
  }
}

/// What a source has for a beat.
package enum NextStill: Hashable, Sendable {
  /// A JPEG.
  case still(ByteBuffer)
  /// No new picture, with the problem if there is one; the next beat may bring one.
  case nothing(String?)
  /// The source has ended.
  case end
}

/// Where a pusher gets its stills from.
package protocol StillSource: Sendable {
  /// The still for this beat. Beats come in rising order; some are left out.
  ///
  /// - Throws: only errors that end the source for good; a problem that may pass is `.nothing`.
  func next(_ beat: Beat) async throws -> NextStill

  /// Ends the source: a `next` that is waiting returns within a tenth of a second.
  func stop()
}

/// Why a push cannot start or continue, as one sentence that says what was wrong, where, and what to do.
package struct PushError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence.
  package let description: String

  /// An error with this sentence.
  package init(_ description: String) { self.description = description }
}
