/// A value as it was written, before a setting interprets it.
struct ConfigValue: Hashable, Sendable {
  /// The forms of a value; the environment and the command line only have texts.
  enum Content: Hashable, Sendable {
    case text(String)
    case list([ConfigValue])
    case mapping([Entry])
    /// A key of the file without a value.
    case nothing
  }

  /// A key of a mapping and its value.
  struct Entry: Hashable, Sendable {
    let key: String
    /// Where the key is.
    let place: ConfigSource
    let value: ConfigValue
  }

  let content: Content
  let place: ConfigSource

  /// The value in an error message; long texts are cut, and a secret is never shown.
  func found(isSecret: Bool = false) -> String {
    switch content {
    case .text(let text) where isSecret: "a text of \(text.count) characters"
    case .text(let text) where text.count > 60: "\(String(text.prefix(60)).debugDescription)..."
    case .text(let text): text.debugDescription
    case .list: "a list"
    case .mapping: "a mapping"
    case .nothing: "nothing"
    }
  }
}
