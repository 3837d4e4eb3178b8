/// Whether a camera signs its stills, for networks where its token could be read.
package enum SigningRule: String, Sendable, CaseIterable {
  /// Signatures are ignored; the camera sends its token.
  case off
  /// The camera can do either.
  case optional
  /// Only signed stills are accepted, and the token is never sent.
  case required
}
