import Media

/// Something that an operator did, as it is kept for later.
package struct OperatorAction: Hashable, Sendable {
  /// How it was done.
  package enum Way: String, Sendable, CaseIterable {
    /// On the operator's page.
    case page
    /// By a request with the operator's token.
    case api
    /// By a signal, or by a file that changed.
    case machine
  }

  /// When.
  package let time: WallTime
  /// The camera; `nil` for what concerns all of them.
  package let camera: String?
  /// What was done, in one word such as `pause`, `withdraw`, `token made`; at most 64 characters are kept.
  package let what: String
  /// How it was done.
  package let way: Way
  /// What came of it, such as `done`, or why it failed; at most 200 characters are kept.
  package let outcome: String

  /// An action at this time.
  package init(time: WallTime, camera: String?, what: String, way: Way, outcome: String) {
    (self.time, self.camera, self.way) = (time, camera, way)
    self.what = String(what.prefix(64))
    self.outcome = String(outcome.prefix(200))
  }
}
