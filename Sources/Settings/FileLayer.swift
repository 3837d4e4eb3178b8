import Media

/// The settings of a YAML file, read but not yet combined.
struct FileLayer {
  /// A camera of the file.
  struct Camera {
    let name: CameraName
    let place: ConfigSource
    let changes: [Change<PartialCameraSettings>]
  }

  var server: [Change<PartialServeSettings>] = []
  var defaults: [Change<PartialCameraSettings>] = []
  var cameras: [Camera] = []
  /// Whether the file is so broken that missing keys mean nothing.
  var isBroken = false

  private static let sections = ["defaults", "cameras"]

  /// No file.
  init() {}

  /// Reads the text of a file.
  init(path: String, text: String, problems: inout [SettingsError.Problem]) {
    guard let top = SettingsFile.tree(of: text, path: path, problems: &problems) else {
      isBroken = true
      return
    }
    let settings = Setting.all.filter { !$0.isPerCamera && $0.layers.contains(.file) }
    for entry in Self.entries(of: top, path: "", problems: &problems) ?? [] {
      switch entry.key {
      case "defaults":
        defaults = Self.camera(entry.value, path: entry.key, isDefaults: true, problems: &problems)
      case "cameras":
        readCameras(entry.value, problems: &problems)
      default:
        guard case .server(let read)? = settings.first(where: { $0.key == entry.key })?.reader else {
          let isCamera = Setting.named(entry.key).map { $0.isPerCamera && $0.layers.contains(.file) } ?? false
          let hint = isCamera ? "it belongs to a camera, under cameras: NAME:, or under defaults:" : nil
          problems.append(.unknown(entry, path: "", known: settings.map(\.key) + Self.sections, hint: hint))
          continue
        }
        server.append(read(entry.value, entry.key, &problems))
      }
    }
    if case .mapping = top.content {} else if top.content != .nothing { isBroken = true }
  }

  /// The entries of a mapping, none if nothing was given, or `nil` with the problem added.
  private static func entries(
    of given: ConfigValue, path: String, problems: inout [SettingsError.Problem]
  ) -> [ConfigValue.Entry]? {
    switch given.content {
    case .mapping(let entries): return entries
    case .nothing: return []
    case .text, .list:
      problems.append(.init(at: given.place, key: path, "found \(given.found()); accepted: KEY: VALUE lines"))
      return nil
    }
  }

  private mutating func readCameras(_ given: ConfigValue, problems: inout [SettingsError.Problem]) {
    guard let entries = Self.entries(of: given, path: "cameras", problems: &problems) else {
      isBroken = true
      return
    }
    for entry in entries {
      let path = "cameras.\(entry.key)"
      let changes = Self.camera(entry.value, path: path, isDefaults: false, problems: &problems)
      guard let name = CameraName(entry.key) else {
        let found = ConfigValue(content: .text(entry.key), place: entry.place).found()
        problems.append(
          .init(at: entry.place, key: path, "found the name \(found); accepted: \(CameraName.rule)"))
        isBroken = true
        continue
      }
      cameras.append(Camera(name: name, place: entry.place, changes: changes))
    }
  }

  /// The settings of a camera, or of all of them.
  ///
  /// - Parameter path: the path of the mapping in the file; empty for a file with nothing else.
  static func camera(
    _ given: ConfigValue, path: String, isDefaults: Bool, problems: inout [SettingsError.Problem]
  ) -> [Change<PartialCameraSettings>] {
    let settings = Setting.all.filter {
      $0.isPerCamera && $0.layers.contains(.file) && !(isDefaults && tokenKeys.contains($0.key))
    }
    var changes: [Change<PartialCameraSettings>] = []
    for entry in entries(of: given, path: path, problems: &problems) ?? [] {
      guard case .camera(let read)? = settings.first(where: { $0.key == entry.key })?.reader else {
        let hint: String? =
          if isDefaults && tokenKeys.contains(entry.key) {
            "each camera has its own, under cameras: NAME:"
          } else if let other = Setting.named(entry.key), !other.isPerCamera, other.layers.contains(.file) {
            "it belongs at the top of the file, not indented"
          } else {
            nil
          }
        problems.append(.unknown(entry, path: path, known: settings.map(\.key), hint: hint))
        continue
      }
      changes.append(read(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)", &problems))
    }
    checkTokens(changes, problems: &problems)
    return changes
  }
}

/// The two keys for one secret.
let tokenKeys = ["token", "token-file"]

/// Adds the problem that one layer has both a token and a file with one for a camera.
func checkTokens(_ changes: [Change<PartialCameraSettings>], problems: inout [SettingsError.Problem]) {
  let given = changes.filter { tokenKeys.contains($0.key) }
  guard given.count == 2 else { return }
  problems.append(
    .init(
      at: given[1].location.place, key: given[1].location.path,
      "\(given[0].key) is given too, at \(given[0].location.place); accepted: one of token and token-file"))
}
