import Media
import NIOCore

/// One beat of a pusher's rhythm.
package struct Beat: Hashable, Sendable {
  /// Its number, counted from 0; beats that were missed are counted too.
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
  /// No new picture, with what the trouble is if there is any; the next beat may bring one.
  case nothing(String?)
  /// The source is at its end.
  case end
}

/// Where a pusher gets its stills from.
package protocol StillSource: Sendable {
  /// The still for this beat; beats come in rising order and not all of them.
  ///
  /// - Throws: only what ends the source for good; trouble that may pass is `.nothing`.
  func next(_ beat: Beat) async throws -> NextStill

  /// Ends the source: a `next` under way returns within a tenth of a second.
  func stop()
}

/// Why a push cannot begin or go on, as one sentence that says what was wrong, where, and what to do.
package struct PushError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence.
  package let description: String

  /// An error that reads so.
  package init(_ description: String) { self.description = description }
}
