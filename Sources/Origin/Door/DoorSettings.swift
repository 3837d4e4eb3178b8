import Access
import Media

/// What the listeners know about one camera: who can push its stills, who can see it, and a folder with stills.
package struct DoorSettings: Sendable, Hashable {
  /// The digests of the tokens that its stills are pushed with. The first is that of the configuration and the key of
  /// signatures. Without any, nobody can push.
  package var tokens: [TokenDigest]
  /// Whether its stills can or must be signed.
  package var signing = SigningRule.off
  /// The most stills a second that are accepted from it.
  package var maxRate = 100
  /// The file that says up to which time signatures were used; `nil` if none is kept.
  package var signedTimes: String?
  /// Who can see it.
  package var access = ViewerAccess.open
  /// A folder that stills are taken from, in addition to those that are pushed; `nil` if there is none.
  package var folder: String?
  /// Whether that folder is scanned twice a second even if the system notifies of changes.
  package var scansFolder = false

  /// A camera that everyone can see, and whose stills are pushed with these tokens.
  package init(tokens: [TokenDigest]) { self.tokens = tokens }

  /// The settings of a camera of which nothing is known: nobody pushes its stills, and nobody sees it without a link.
  static let closed = {
    var settings = DoorSettings(tokens: [])
    settings.access = .signed
    return settings
  }()
}
