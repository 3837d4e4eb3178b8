/// Whether a camera signs its stills, for networks on which its token could be read.
package enum SigningRule: String, Sendable, CaseIterable {
  /// Signatures mean nothing; the token is shown.
  case off
  /// Either will do.
  case optional
  /// Only signed stills are taken, and the token is never shown.
  case required
}
