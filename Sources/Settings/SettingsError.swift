/// All problems of a configuration, found in one pass.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One problem.
  package struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where it is: `quietcam.yaml:12`, `QUIETCAM_SIZE`, `--size` or `default`.
    package let place: String
    /// The setting with its path in the file, such as `cameras.desk.size`; empty for the file as a whole.
    package let key: String
    /// What was found, and which values are accepted or what to do.
    package let message: String
    /// Everything in one line.
    package let description: String

    init(at place: ConfigSource, key: String, _ message: String) {
      self.place = place.description
      self.key = key
      self.message = message
      description = key.isEmpty || place.names(key) ? "\(place): \(message)" : "\(place): \(key): \(message)"
    }
  }

  /// Every problem once: those of the file in order, then of the environment, of the flags, and general ones.
  package let problems: [Problem]

  /// The problems, one in each line.
  package var description: String { problems.map(\.description).joined(separator: "\n") }

  init(_ problems: [Problem]) {
    var known: Set<Problem> = []
    self.problems = problems.filter { known.insert($0).inserted }
  }
}
