import NIOCore

/// One JPEG as a camera pushed it, stamped by the server on arrival.
package struct Still: Sendable {
  /// The JPEG from SOI to EOI, padding trimmed.
  package let jpeg: ByteBuffer
  /// When it arrived, on the camera's own monotonic timeline.
  package let arrival: Ticks
  /// When it arrived by the wall clock; for people, never for scheduling.
  package let wallTime: WallTime

  /// A still of these bytes that arrived at this moment.
  package init(jpeg: ByteBuffer, arrival: Ticks, wallTime: WallTime) {
    self.jpeg = jpeg
    self.arrival = arrival
    self.wallTime = wallTime
  }
}
