import Media
import NIOConcurrencyHelpers

/// What both doors know of who comes and what they hold: shared by their listeners and the reports.
package final class AccessLimits: Sendable {
  /// The viewers' connections.
  package let viewers: Connections
  /// The viewers' requests that wait for what comes next.
  package let waits: WaitLimit
  /// The cameras' and operators' connections.
  package let cameras: Connections
  /// The memory of bodies on their way in.
  package let uploads: UploadMemory
  private let tokens = NIOLockedValueBox(WrongTokens())

  /// A book in which nothing is written yet.
  package init(viewers: Connections.Limits, cameras: Connections.Limits, uploads: UploadMemory) {
    self.viewers = Connections(limits: viewers)
    waits = WaitLimit(limits: viewers)
    self.cameras = Connections(limits: cameras)
    self.uploads = uploads
  }

  /// Changes or reads the table of wrong tokens.
  package func withTokens<Result: Sendable>(_ body: (inout sending WrongTokens) -> sending Result) -> Result {
    tokens.withLockedValue { body(&$0) }
  }
}
