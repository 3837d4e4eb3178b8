import Media
import Origin
import Station

/// What a process does with settings that were read while it runs: which cameras come, go and change, and which settings
/// wait for a restart.
package struct SettingsChange: Sendable {
  /// The settings from now on: the new ones, except for what waits for a restart.
  package let settings: ServeSettings
  /// Cameras that are new.
  package let added: [CameraSettings]
  /// Cameras that are gone.
  package let removed: [CameraName]
  /// Cameras whose pictures, stream or title change.
  package let changed: [CameraSettings]
  /// Cameras for which only tokens, access or the folder change.
  package let changedDoors: [CameraName]
  /// The keys of settings of the process that have changed.
  package let keys: [String]
  /// The keys of settings that have changed and wait for a restart.
  package let waiting: [String]

  /// Whether nothing has changed.
  package var isEmpty: Bool {
    added.isEmpty && removed.isEmpty && changed.isEmpty && changedDoors.isEmpty && keys.isEmpty && waiting.isEmpty
  }

  /// The change from one to the other.
  ///
  /// - Parameter start: what the process has started with, which is what its listeners and its store still have.
  package init(from before: ServeSettings, to new: ServeSettings, start: ServeSettings) {
    var (settings, waiting) = (new, [String]())
    /// Keeps what the process has.
    func keep<Value: Equatable>(_ key: String, _ path: WritableKeyPath<ServeSettings, Value>) {
      if new[keyPath: path] != start[keyPath: path] { waiting.append(key) }
      settings[keyPath: path] = start[keyPath: path]
    }
    keep("public", \.publicAddress)
    keep("private", \.privateAddress)
    keep("store", \.store)
    keep("bucket", \.bucket)
    keep("log", \.log)
    keep("keep-visits", \.keepVisits)
    keep("demo", \.isDemo)
    keep("step-down", \.stepsDown)
    keep("public-connections", \.publicConnections)
    keep("private-connections", \.privateConnections)
    keep("connections-per-address", \.connectionsPerAddress)
    keep("upload-megabytes", \.uploadMegabytes)
    keep("remember-megabytes", \.rememberMegabytes)
    keep("patience", \.patience)
    // Whether an address speaks TLS at all is decided at the start.
    func keep(_ key: String, certificate path: WritableKeyPath<ServeSettings, CertificateFiles?>) {
      if (new[keyPath: path] == nil) != (start[keyPath: path] == nil) { keep(key, path) }
    }
    keep("public-certificate", certificate: \.publicCertificate)
    keep("private-certificate", certificate: \.privateCertificate)
    settings.site.sampleCamera = start.site.sampleCamera
    settings.operatorSecret = nil
    settings.keepDemo(of: before, isDemo: start.isDemo, hasDemo: new.isDemo)

    var keys: [String] = []
    func note<Value: Equatable>(_ key: String, _ path: KeyPath<ServeSettings, Value>) {
      if settings[keyPath: path] != before[keyPath: path] { keys.append(key) }
    }
    note("public-certificate", \.publicCertificate)
    note("private-certificate", \.privateCertificate)
    note("operator-token", \.operatorToken)
    note("private-hosts", \.privateHosts)
    note("link-key", \.linkKey)
    note("trusted-proxies", \.trustedProxies)
    note("notify", \.notify)
    note("allow-origin", \.site.allowedOrigin)
    note("base-url", \.site.baseURL)
    note("site-title", \.site.title)
    note("favicon", \.site.iconFile)
    note("embed", \.site.frameAncestors)

    let old = Dictionary(before.cameras.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let names = Set(settings.cameras.map(\.name))
    added = settings.cameras.filter { old[$0.name] == nil }
    removed = before.cameras.map(\.name).filter { !names.contains($0) }
    changed = settings.cameras.filter { camera in old[camera.name].map { $0 != camera } ?? false }
    let same = settings.cameras.filter { old[$0.name] == $0 }.map(\.name)
    changedDoors = same.filter { settings.doors[$0] != before.doors[$0] }
    (self.settings, self.keys, self.waiting) = (settings, keys, waiting)
  }
}

extension ServeSettings {
  /// Keeps the demo camera of a process that was started with it, and does not take one that nobody paints.
  fileprivate mutating func keepDemo(of before: ServeSettings, isDemo: Bool, hasDemo: Bool) {
    guard isDemo != hasDemo, let name = CameraName(Self.demoName) else { return }
    if isDemo {
      demoToken = before.demoToken
      guard !cameras.contains(where: { $0.name == name }), let demo = before.cameras.first(where: { $0.name == name })
      else { return }
      cameras.append(demo)
      doors[name] = before.doors[name]
    } else if !before.cameras.contains(where: { $0.name == name }) {
      cameras.removeAll { $0.name == name }
      doors[name] = nil
    }
  }
}
