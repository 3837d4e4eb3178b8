/// Where a value of the configuration was written.
enum ConfigSource: Hashable, Sendable, CustomStringConvertible {
  /// A line of the file, counted from 1.
  case file(path: String, line: Int)
  /// The environment variable of a key.
  case environment(String)
  /// The flag of a key.
  case flag(String)
  /// The default value.
  case standard

  /// The environment variable that sets `key`.
  static func variable(of key: String) -> String {
    "QUIETCAM_" + key.uppercased().replacing("-", with: "_")
  }

  /// Whether the place's own text already names the key.
  func names(_ key: String) -> Bool {
    switch self {
    case .environment(let variable): variable == Self.variable(of: key)
    case .flag(let name): name == key
    case .file, .standard: false
    }
  }

  var description: String {
    switch self {
    case .file(let path, let line): "\(path):\(line)"
    case .environment(let variable): variable
    case .flag(let name): "--\(name)"
    case .standard: "default"
    }
  }
}
