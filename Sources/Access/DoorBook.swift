import Media
import Synchronization

/// The limits and counts of both listeners: shared by the listeners and the reports.
public final class DoorBook: Sendable {
  /// The viewers' connections.
  public let viewers: Connections
  /// The viewers' requests that are held until the next part or segment.
  public let waits: Waits
  /// The cameras' and operators' connections.
  public let cameras: Connections
  /// The memory of bodies that are being received.
  public let uploads: UploadMemory
  private let tokens = Mutex(WrongTokens())

  /// Counts that are all zero.
  public init(viewers: Connections.Limits, cameras: Connections.Limits, uploads: UploadMemory) {
    self.viewers = Connections(limits: viewers)
    waits = Waits(limits: viewers)
    self.cameras = Connections(limits: cameras)
    self.uploads = uploads
  }

  /// Changes or reads the table of wrong tokens.
  public func withTokens<Result: Sendable>(_ body: (inout sending WrongTokens) -> sending Result) -> Result {
    tokens.withLock { body(&$0) }
  }
}
