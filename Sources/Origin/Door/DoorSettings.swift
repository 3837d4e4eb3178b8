import Access
import Media

/// What the listeners know of one camera: who may bring it stills, who may see it, and a folder that brings it stills.
package struct DoorSettings: Sendable, Hashable {
  /// The digests of the tokens that its stills are pushed with. The first is that of the configuration, and signatures
  /// are made with it. Without any, nobody can push.
  package var tokens: [TokenDigest]
  /// Whether its stills may or must be signed.
  package var signing = SigningRule.off
  /// The most stills a second that are taken from it.
  package var maxRate = 100
  /// Who may see it.
  package var access = ViewerAccess.open
  /// A folder that stills are taken from besides those that are pushed; `nil` where there is none.
  package var folder: String?
  /// Whether that folder is looked at twice a second even where the system would tell of changes.
  package var scansFolder = false

  /// A camera that everyone may see, and whose stills are pushed with these tokens.
  package init(tokens: [TokenDigest]) { self.tokens = tokens }

  /// What holds for a camera that nothing is known of: nobody brings it stills, and nobody sees it without a link.
  static let closed = {
    var settings = DoorSettings(tokens: [])
    settings.access = .signed
    return settings
  }()
}
