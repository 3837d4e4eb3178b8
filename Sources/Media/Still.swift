import NIOCore

/// One JPEG from a camera, with the server's time of its arrival.
package struct Still: Sendable {
  /// The JPEG from SOI to EOI, without padding.
  package let jpeg: ByteBuffer
  /// When it arrived, on the camera's own monotonic timeline.
  package let arrival: Ticks
  /// When it arrived by the wall clock. For people; nothing is scheduled by it.
  package let wallTime: WallTime

  /// A still with these bytes and this time of arrival.
  package init(jpeg: ByteBuffer, arrival: Ticks, wallTime: WallTime) {
    self.jpeg = jpeg
    self.arrival = arrival
    self.wallTime = wallTime
  }
}
