import NIOCore

/// One JPEG from a camera, with the server's time of its arrival.
public struct Still: Sendable {
  /// The JPEG from SOI to EOI, without padding.
  public let jpeg: ByteBuffer
  /// When it arrived, on the camera's own monotonic timeline.
  public let arrival: Ticks
  /// When it arrived by the wall clock. For people; nothing is scheduled by it.
  public let wallTime: WallTime

  /// A still with these bytes and this time of arrival.
  public init(jpeg: ByteBuffer, arrival: Ticks, wallTime: WallTime) {
    self.jpeg = jpeg
    self.arrival = arrival
    self.wallTime = wallTime
  }
}
