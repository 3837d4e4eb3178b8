import Media
import Synchronization

/// What both doors know of who comes and what they hold: shared by their listeners and the reports.
public final class DoorBook: Sendable {
  /// The viewers' connections.
  public let viewers: Connections
  /// The viewers' requests that wait for what comes next.
  public let waits: Waits
  /// The cameras' and operators' connections.
  public let cameras: Connections
  /// The memory of bodies on their way in.
  public let uploads: UploadMemory
  /// What viewers sent that could not be read.
  package let unreadableAtPublic = UnreadableRequests()
  /// What came to the private door and could not be read.
  package let unreadableAtPrivate = UnreadableRequests()
  private let tokens = Mutex(WrongTokens())

  /// A book in which nothing is written yet.
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
