import Media

/// Something that an operator did, for the log.
package struct OperatorAction: Hashable, Sendable {
  /// Where it came from.
  package enum Way: String, Hashable, Sendable, CaseIterable {
    /// The operator's page.
    case page
    /// Another program, with the operator's token.
    case api
  }

  /// When it was done.
  package var time: WallTime
  /// The camera; `nil` if it is about none, or about all.
  package var camera: CameraName?
  /// What was done: a command's name, `sign-in`, `token-made`, `token-revoked`, `link-made`.
  package var what: String
  /// Where it came from.
  package var way: Way
  /// `done`, or the word of the error.
  package var outcome: String

  /// An action.
  package init(time: WallTime, camera: CameraName?, what: String, way: Way, outcome: String) {
    (self.time, self.camera, self.what, self.way, self.outcome) = (time, camera, what, way, outcome)
  }
}
