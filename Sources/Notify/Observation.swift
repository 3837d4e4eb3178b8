import Media

/// What is looked at once a second to find out what the operator wants to hear of.
package struct Observation: Sendable {
  /// One camera.
  package struct CameraFacts: Sendable {
    /// Its name.
    package var name: String
    /// What people call it.
    package var title: String
    /// Whether it has published anything yet.
    package var hasBegun = true
    /// Whether it sends stills, whatever is shown.
    package var isOn = true
    /// When its newest still came.
    package var lastStill: WallTime?
    /// All waves.
    package var waves: Int64 = 0
    /// All failed writes to the store.
    package var failures: Int64 = 0

    /// A camera of which nothing is known.
    package init(name: String, title: String) {
      self.name = name
      self.title = title
    }
  }

  /// One certificate.
  package struct CertificateFacts: Hashable, Sendable {
    /// What its dates say.
    package enum State: Hashable, Sendable {
      /// Nothing wrong.
      case good
      /// It ends soon.
      case endsSoon(WallTime)
      /// It has ended.
      case ended(WallTime)
      /// It has not begun.
      case notYet(WallTime)
    }

    /// Its file.
    package let file: String
    /// What its dates say.
    package let state: State

    /// A certificate in this state.
    package init(file: String, state: State) {
      self.file = file
      self.state = state
    }
  }

  /// All cameras.
  package var cameras: [CameraFacts] = []
  /// All certificates.
  package var certificates: [CertificateFacts] = []
  /// All wrong tokens and signatures.
  package var wrongTokens: Int64 = 0
  /// The addresses with the most of them, and how many.
  package var guessers: [(address: String, wrong: Int64)] = []

  /// Nothing.
  package init() {}
}
