import Media
import NIOConcurrencyHelpers

/// The limits and counts of both listeners: shared by the listeners and the reports.
package final class AccessLimits: Sendable {
  /// The viewers' connections.
  package let viewers: Connections
  /// The viewers' requests that are held until the next part or segment.
  package let waits: WaitLimit
  /// How often visitors may wave.
  package let waves = WaveLimits()
  /// The cameras' and operators' connections.
  package let cameras: Connections
  /// The memory of bodies that are being received.
  package let uploads: UploadMemory
  /// What viewers sent that could not be read.
  package let unreadableAtPublic = UnreadableRequests()
  /// What came to the private door and could not be read.
  package let unreadableAtPrivate = UnreadableRequests()
  /// How long the public door's answers took.
  package let answersAtPublic = AnswerTimes([.playlist, .reload, .media, .picture, .events, .page])
  /// How long the private door's answers took.
  package let answersAtPrivate = AnswerTimes([.still, .operation])
  private let tokens = NIOLockedValueBox(WrongTokens())

  /// Counts that are all zero.
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
