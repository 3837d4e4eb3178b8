/// The settings of the environment or the command line: a text for each key.
struct TextLayer {
  var server: [Change<PartialServeSettings>] = []
  var camera: [Change<PartialCameraSettings>] = []

  /// Reads the variables that begin with `QUIETCAM_`.
  init(environment: [String: String], problems: inout [SettingsError.Problem]) {
    let known = Setting.all.filter { $0.layers.contains(.environment) }
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) {
      guard variable.hasPrefix("QUIETCAM_"), variable != "QUIETCAM_CONFIG", !variable.hasPrefix("QUIETCAM_TEST_")
      else { continue }
      let place = ConfigSource.environment(variable)
      guard let setting = Setting.all.first(where: { $0.variable == variable }) else {
        if ServiceLinks.made(variable, text, in: environment) { continue }
        let key = String(variable.dropFirst("QUIETCAM_".count))
        let near = NearestKey.of(key, among: known.map(\.key) + ["config"]).map(ConfigSource.variable(of:))
        problems.append(Self.unknown(place, near: near, known: known.map(\.variable) + ["QUIETCAM_CONFIG"]))
        continue
      }
      // Compose files and units pass empty variables on for what is not set.
      guard !text.isEmpty else { continue }
      read(setting, text, at: place, in: .environment, problems: &problems)
    }
    checkTokens(camera, problems: &problems)
  }

  /// Reads the flags, by their names without dashes.
  init(flags: [String: String], problems: inout [SettingsError.Problem]) {
    let known = Setting.all.filter { $0.layers.contains(.flag) }
    for (name, text) in flags.sorted(by: { $0.key < $1.key }) where name != "config" {
      let place = ConfigSource.flag(name)
      guard let setting = Setting.named(name) else {
        let near = NearestKey.of(name, among: known.map(\.key) + ["config"]).map { "--\($0)" }
        problems.append(Self.unknown(place, near: near, known: known.map(\.flag) + ["--config"]))
        continue
      }
      read(setting, text, at: place, in: .flag, problems: &problems)
    }
    checkTokens(camera, problems: &problems)
  }

  private static func unknown(_ place: ConfigSource, near: String?, known: [String]) -> SettingsError.Problem {
    let told = near.map { "; did you mean \($0)?" } ?? ""
    return .init(at: place, key: "", "no such setting\(told); known: \(known.joined(separator: ", "))")
  }

  private mutating func read(
    _ setting: Setting, _ text: String, at place: ConfigSource, in layer: Setting.Layer,
    problems: inout [SettingsError.Problem]
  ) {
    guard setting.layers.contains(layer) else {
      problems.append(
        .init(
          at: place, key: setting.key,
          "taken from the file only; write \(setting.key): \(setting.valueName) there, under cameras: NAME:"))
      return
    }
    let given = ConfigValue(content: .text(text), place: place)
    switch setting.reader {
    case .server(let read): server.append(read(given, setting.key, &problems))
    case .camera(let read): camera.append(read(given, setting.key, &problems))
    }
  }
}
