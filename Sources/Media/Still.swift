import NIOCore

/// One JPEG as a camera pushed it, stamped by the server on arrival.
public struct Still: Sendable {
  /// The JPEG from SOI to EOI, padding trimmed.
  public let jpeg: ByteBuffer
  /// When it arrived, on the camera's own monotonic timeline.
  public let arrival: Ticks
  /// When it arrived by the wall clock; for people, never for scheduling.
  public let wallTime: WallTime

  /// A still of these bytes that arrived at this moment.
  public init(jpeg: ByteBuffer, arrival: Ticks, wallTime: WallTime) {
    self.jpeg = jpeg
    self.arrival = arrival
    self.wallTime = wallTime
  }
}
