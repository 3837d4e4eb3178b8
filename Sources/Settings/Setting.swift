/// One setting of `quietcam serve`: the same key in the file, the environment and the command line.
///
/// The table in `all` is the only place with the keys, so files, variables, flags, help and errors always agree.
package struct Setting: Sendable {
  /// Where a setting can be given, from the weakest to the strongest.
  package enum Layer: Sendable, Hashable, CaseIterable {
    /// The YAML file.
    case file
    /// A variable `QUIETCAM_...`.
    case environment
    /// A flag of the command line.
    case flag
  }

  /// The name, such as `max-kilobits`.
  package let key: String
  /// The value in a usage line, such as `HOST:PORT`.
  package let valueName: String
  /// What it does, in one line without a full stop.
  package let help: String
  /// The default, as it would be written or in words.
  package let defaultText: String
  /// Which values are accepted, as in an error message.
  package let accepted: String
  /// Whether each camera has its own; in the file it is then under a camera or `defaults`.
  package let isPerCamera: Bool
  /// Where it can be given.
  package let layers: Set<Layer>

  /// Its flag with the dashes.
  package var flag: String { ConfigSource.flag(key).description }
  /// Its environment variable.
  package var variable: String { ConfigSource.variable(of: key) }

  let reader: Reader

  /// Makes a change from a given value; problems are added to the list.
  enum Reader: Sendable {
    case server(@Sendable (ConfigValue, _ path: String, inout [SettingsError.Problem]) -> Change<PartialServeSettings>)
    case camera(@Sendable (ConfigValue, _ path: String, inout [SettingsError.Problem]) -> Change<PartialCameraSettings>)
  }

  /// A setting of the process.
  static func server<Value>(
    _ key: String, _ kind: ValueType<Value>, _ property: any WritableKeyPath<PartialServeSettings, Value> & Sendable,
    _ help: String,
    standard: String? = nil, layers: Set<Layer> = Set(Layer.allCases)
  ) -> Setting {
    Setting(
      key: key, valueName: kind.valueName, help: help,
      defaultText: standard ?? kind.text(PartialServeSettings()[keyPath: property]), accepted: kind.accepted,
      isPerCamera: false,
      layers: layers,
      reader: .server { given, path, problems in change(key, kind, property, given, path, &problems) })
  }

  /// A setting of a camera.
  static func camera<Value>(
    _ key: String, _ kind: ValueType<Value>, _ property: any WritableKeyPath<PartialCameraSettings, Value> & Sendable,
    _ help: String,
    standard: String? = nil, layers: Set<Layer> = Set(Layer.allCases)
  ) -> Setting {
    Setting(
      key: key, valueName: kind.valueName, help: help,
      defaultText: standard ?? kind.text(PartialCameraSettings()[keyPath: property]), accepted: kind.accepted,
      isPerCamera: true,
      layers: layers,
      reader: .camera { given, path, problems in change(key, kind, property, given, path, &problems) })
  }

  private static func change<Target, Value>(
    _ key: String, _ kind: ValueType<Value>, _ property: any WritableKeyPath<Target, Value> & Sendable,
    _ given: ConfigValue,
    _ path: String, _ problems: inout [SettingsError.Problem]
  ) -> Change<Target> {
    let location = KeyLocation(place: given.place, path: path)
    guard let value = kind.read(given, path, &problems) else { return Change(key: key, location: location, set: nil) }
    return Change(key: key, location: location) { $0[keyPath: property] = value }
  }
}
