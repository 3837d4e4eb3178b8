import Media

/// Changes the configuration while the server runs, one order after another.
package protocol Configurator: Sendable {
  /// Carries out an order of the operator.
  func carryOut(_ order: ConfigurationOrder) async -> ConfigurationAnswer
}

/// What an operator can ask for at the private address.
package enum ConfigurationOrder: Hashable, Sendable {
  /// Read everything anew.
  case reload
  /// Tell the settings of a camera.
  case read(CameraName)
  /// Set those of a camera, which is added if need be; the text is YAML or JSON.
  case write(CameraName, String)
  /// Remove those that were set by `write`.
  case remove(CameraName)
}

/// What became of an order.
package struct ConfigurationAnswer: Hashable, Sendable {
  /// In general.
  package enum Kind: Hashable, Sendable {
    /// It was carried out.
    case done
    /// It was carried out, and a camera is new.
    case created
    /// The configuration has mistakes, and nothing has changed.
    case mistaken
    /// There is nothing of this name.
    case unknown
    /// It is not possible as things are; nothing has changed.
    case impossible
    /// Too much else is to be done.
    case busy
  }

  /// In general.
  package let kind: Kind
  /// One line of JSON for the operator.
  package let json: String

  /// An answer.
  package init(_ kind: Kind, json: String) { (self.kind, self.json) = (kind, json) }

  /// An answer that says what was wrong, by a word for programs and a sentence for people.
  package init(_ kind: Kind, error: String, detail: String) {
    self.init(kind, json: "{\"error\":\(error.jsonQuoted),\"detail\":\(detail.jsonQuoted)}")
  }
}
