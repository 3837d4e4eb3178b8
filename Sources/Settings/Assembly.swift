import Access
import Bucket
import Media
import Notify
import Origin
import Packager
import Station

/// Combines the layers and checks the rules between settings.
struct Assembly {
  private let file: FileLayer
  /// The environment and the command line, the stronger one last.
  private let texts: [TextLayer]
  private let tokens: ProcessTokens
  private(set) var problems: [SettingsError.Problem]

  init(file: FileLayer, texts: [TextLayer], tokens: ProcessTokens, problems: [SettingsError.Problem]) {
    self.file = file
    self.texts = texts
    self.tokens = tokens
    self.problems = problems
  }

  /// The settings of all layers; only valid if no problem was added.
  mutating func settings(
    path: String?, cameraFiles: (ServeSettings.Store) throws -> [CameraFile], readFile: (String) throws -> String
  ) -> ServeSettings {
    var partial = PartialServeSettings()
    for change in file.server + texts.flatMap(\.server) { change.apply(to: &partial) }
    checkAddresses(partial)
    for key in ["operator-token", "link-key", "notify-secret", "bucket-key"] { checkOneSource(key, partial) }
    partial.settings.publicCertificate = certificate(
      "public", partial.publicCertificate, partial.publicKey, in: partial)
    partial.settings.privateCertificate = certificate(
      "private", partial.privateCertificate, partial.privateKey, in: partial)

    let operatorToken = secret("operator-token", .token, partial.operatorToken, in: partial, readFile)
    partial.settings.operatorToken = operatorToken.map { TokenDigest(written: $0) }
    partial.settings.operatorSecret = operatorToken.flatMap { $0.hasPrefix(TokenDigest.prefix) ? nil : $0 }
    partial.settings.linkKey = secret("link-key", .linkKey, partial.linkKey, in: partial, readFile)
      .map { LinkKey(secret: $0) }
    partial.settings.notify.secret =
      secret("notify-secret", .linkKey, partial.notifySecret, in: partial, readFile) ?? ""
    checkNotifySecret(partial)
    partial.settings.bucket = bucket(partial, readFile)
    if partial.settings.isDemo { partial.settings.demoToken = tokens.demo }

    var cameras = file.cameras
    take(cameraFiles, store: partial.settings.store, into: &cameras)
    if let named = partial.camera, !cameras.contains(where: { $0.name == named }) {
      cameras.append(.init(name: named, place: partial.locations["camera"]?.place ?? .standard, changes: []))
    }
    if partial.settings.isDemo, let demo = CameraName(ServeSettings.demoName),
      !cameras.contains(where: { $0.name == demo })
    {
      cameras.append(.init(name: demo, place: partial.locations["demo"]?.place ?? .standard, changes: []))
    }
    if cameras.isEmpty, !file.isBroken, !partial.refused.contains("camera"), !partial.refused.contains("demo") {
      let place = path.map { ConfigSource.file(path: $0, line: 1) } ?? .flag("camera")
      let advice = "--camera NAME --token SECRET for one, --config FILE with cameras: in it for several, --demo to try"
      problems.append(.init(at: place, key: "cameras", "no camera is configured; give \(advice)"))
    }
    for camera in cameras {
      let settings = self.camera(camera, in: partial, readFile: readFile)
      if let settings {
        partial.settings.cameras.append(settings.stream)
        partial.settings.doors[camera.name] = settings.door
      }
    }
    return partial.settings
  }

  /// Adds what the files of `cameras.d` say of cameras, those of the configuration or others.
  private mutating func take(
    _ files: (ServeSettings.Store) throws -> [CameraFile], store: ServeSettings.Store,
    into cameras: inout [FileLayer.Camera]
  ) {
    do {
      for file in try files(store) {
        guard let camera = file.read(problems: &problems) else { continue }
        guard let index = cameras.firstIndex(where: { $0.name == camera.name }) else {
          cameras.append(camera)
          continue
        }
        let known = cameras[index]
        cameras[index] = .init(name: known.name, place: known.place, changes: known.changes + camera.changes)
      }
    } catch let error as SettingsError {
      problems += error.problems
    } catch {
      problems.append(.init(at: .file(path: "cameras.d", line: 1), key: "", "\(error)"))
    }
  }

  private mutating func checkAddresses(_ partial: PartialServeSettings) {
    let (viewers, cameras) = (partial.settings.publicAddress, partial.settings.privateAddress)
    guard viewers.collides(with: cameras), partial.refused.isDisjoint(with: ["public", "private"]) else { return }
    let key = partial.locations["private"] == nil ? "public" : "private"
    let other = key == "public" ? "private" : "public"
    let location = partial.locations[key] ?? KeyLocation(place: .standard, path: key)
    let otherPlace = partial.locations[other]?.place ?? .standard
    problems.append(
      .init(
        at: location.place, key: location.path,
        "found \(viewers), which \(other) has too (\(otherPlace)); accepted: another port or host for each"))
  }

  /// Adds the problem that messages would not be signed.
  private mutating func checkNotifySecret(_ partial: PartialServeSettings) {
    guard !partial.settings.notify.receivers.isEmpty, partial.notifySecret == nil,
      partial.refused.isDisjoint(with: ["notify-secret", "notify-secret-file"])
    else { return }
    let location = partial.locations["notify"] ?? KeyLocation(place: .standard, path: "notify")
    problems.append(
      .init(
        at: location.place, key: location.path,
        "found without notify-secret, which signs the messages; make one with `quietcam token` and give "
          + "notify-secret: SECRET or notify-secret-file: FILE"))
  }

  /// The bucket with its key; `nil` if there is none or something of it is invalid.
  private mutating func bucket(
    _ partial: PartialServeSettings, _ readFile: (String) throws -> String
  ) -> BucketSettings? {
    let key = secret("bucket-key", .accessKey, partial.bucketKey, in: partial, readFile).flatMap { AccessKey($0) }
    let others = ["bucket-endpoint", "bucket-region", "bucket-style", "bucket-key", "bucket-key-file"]
    func refuse(_ key: String, _ message: String) {
      let location = partial.locations[key] ?? KeyLocation(place: .standard, path: key)
      problems.append(.init(at: location.place, key: location.path, message))
    }
    guard let place = partial.bucket else {
      // The default, written out, asks for nothing.
      let isDefault = partial.bucketRegion == PartialServeSettings().bucketRegion
      let given = others.first { partial.locations[$0] != nil && !($0 == "bucket-region" && isDefault) }
      if !partial.refused.contains("bucket"), let given {
        refuse(given, "found without bucket, the place that it is for; give bucket: s3://NAME/PREFIX")
      }
      return nil
    }
    guard partial.refused.isDisjoint(with: others) else { return nil }
    guard partial.bucketKey != nil else {
      refuse(
        "bucket",
        "found without a key, which the storage asks for; give bucket-key-file: FILE with a line ID:SECRET in "
          + "it, or bucket-key: ID:SECRET")
      return nil
    }
    guard let key else { return nil }
    return BucketSettings(
      place: place, endpoint: partial.bucketEndpoint, region: partial.bucketRegion, style: partial.bucketStyle, key: key
    )
  }

  /// Adds the problem that one layer has both a secret and a file with it.
  private mutating func checkOneSource(_ key: String, _ partial: PartialServeSettings) {
    guard let text = partial.locations[key], let file = partial.locations["\(key)-file"] else { return }
    let isOneLayer =
      switch (text.place, file.place) {
      case (.file, .file), (.environment, .environment), (.flag, .flag): true
      default: false
      }
    guard isOneLayer else { return }
    problems.append(
      .init(
        at: file.place, key: file.path,
        "\(key) is given too, at \(text.place); accepted: one of \(key) and \(key)-file"))
  }

  /// The two files of a listener's certificate, which need each other.
  private mutating func certificate(
    _ door: String, _ certificate: String?, _ key: String?, in partial: PartialServeSettings
  ) -> CertificateFiles? {
    let names = (certificate: "\(door)-certificate", key: "\(door)-key")
    if let certificate, let key { return CertificateFiles(certificate: certificate, key: key) }
    guard certificate != nil || key != nil, partial.refused.isDisjoint(with: [names.certificate, names.key]) else {
      return nil
    }
    let (given, missing) = certificate == nil ? (names.key, names.certificate) : (names.certificate, names.key)
    let location = partial.locations[given] ?? KeyLocation(place: .standard, path: given)
    problems.append(.init(at: location.place, key: location.path, "found without \(missing); accepted: both or none"))
    return nil
  }

  private mutating func camera(
    _ camera: FileLayer.Camera, in server: PartialServeSettings, readFile: (String) throws -> String
  ) -> (stream: CameraSettings, door: DoorSettings)? {
    var partial = PartialCameraSettings()
    for change in file.defaults + camera.changes { change.apply(to: &partial) }
    // Without a camera's name, a text layer's settings are for every camera.
    if server.camera == nil || server.camera == camera.name {
      for change in texts.flatMap(\.camera) { change.apply(to: &partial) }
    }
    let token = token(of: camera, partial, demo: server.settings.demoToken, readFile: readFile)
    guard let timeline = timeline(of: camera, partial), let token else { return nil }
    var settings = partial.stream
    (settings.name, settings.timeline, settings.veil) = (camera.name, timeline, partial.veil)
    settings.showsAtOnce = showsAtOnce(partial)
    settings.photoSize = photoSize(partial, hasOperator: server.operatorToken != nil, isAtOnce: settings.showsAtOnce)
    var door = partial.door
    door.tokens = [token]
    if camera.name.text == ServeSettings.demoName, let demo = server.settings.demoToken, demo.digest != token {
      door.tokens.append(demo.digest)
    }
    if door.access == .signed, server.settings.linkKey == nil, server.refused.isDisjoint(with: linkKeys) {
      let location = partial.locations["access"] ?? KeyLocation(place: .standard, path: "access")
      problems.append(
        .init(
          at: location.place, key: location.path,
          "found signed without link-key, which signs the links; make one with `quietcam token` and give "
            + "link-key: SECRET or link-key-file: FILE"))
    }
    settings.isCopied =
      switch partial.bucketCopy {
      case .open: door.access == .open
      case .always: true
      case .never: false
      }
    return (settings, door)
  }

  /// Whether stills are shown before their part: viewers wait for photos from a folder.
  private mutating func showsAtOnce(_ partial: PartialCameraSettings) -> Bool {
    let hindrance = partial.stream.delay > .zero ? "delay" : partial.veil != nil ? "veil-every" : nil
    if partial.showsAtOnce == true, let hindrance {
      let location = partial.locations["at-once"] ?? KeyLocation(place: .standard, path: "at-once")
      problems.append(
        .init(at: location.place, key: location.path, "found true with \(hindrance); accepted: one of them"))
    }
    return partial.showsAtOnce ?? (partial.door.folder != nil && hindrance == nil)
  }

  /// The most that `latest.jpg` measures. Recorded pictures have the stream's size, so where a veil may fall live ones
  /// must have no other.
  private mutating func photoSize(_ partial: PartialCameraSettings, hasOperator: Bool, isAtOnce: Bool) -> PictureSize? {
    if case .within(let size) = partial.photoSize, partial.veil != nil {
      let location = partial.locations["photo-size"] ?? KeyLocation(place: .standard, path: "photo-size")
      problems.append(
        .init(
          at: location.place, key: location.path, "found \(size) with veil-every; accepted: stream, or no veil-every"))
    }
    switch partial.photoSize {
    case .stream: return nil
    case .within(let size): return size
    case nil: return partial.veil != nil || (hasOperator && !isAtOnce) ? nil : PhotoSize.standard
    }
  }

  private mutating func timeline(of camera: FileLayer.Camera, _ partial: PartialCameraSettings) -> TimelineSettings? {
    guard partial.refused.isDisjoint(with: PartialCameraSettings.timelineKeys) else { return nil }
    do {
      return try TimelineSettings(partial.timeline)
    } catch {
      // If the setting that breaks the rule is a default, a setting that was given caused it.
      let given = PartialCameraSettings.timelineKeys.lazy.compactMap { partial.locations[$0] }.first
      let location =
        partial.locations[error.setting]
        ?? KeyLocation(place: given?.place ?? .standard, path: "cameras.\(camera.name).\(error.setting)")
      let standard = partial.locations[error.setting] == nil ? "the default " : ""
      problems.append(.init(at: location.place, key: location.path, "found \(standard)\(error.description)"))
      return nil
    }
  }

  /// The text of a secret that is given directly or in a file; `nil` if there is none or it is invalid.
  private mutating func secret(
    _ key: String, _ kind: ValueType<String>, _ source: SecretSource?, in partial: some PartialSettings,
    _ readFile: (String) throws -> String
  ) -> String? {
    switch source {
    case .text(let text): return text
    case .file(let path):
      let location = partial.locations["\(key)-file"] ?? KeyLocation(place: .standard, path: "\(key)-file")
      do {
        let text = try readFile(path)
        let given = ConfigValue(content: .text(text.trimmed), place: location.place)
        return kind.read(given, location.path, &problems)
      } catch {
        problems.append(
          .init(
            at: location.place, key: location.path,
            "found \(path.debugDescription), which cannot be read (\(error)); accepted: the path of a file"))
        return nil
      }
    case nil: return nil
    }
  }

  private mutating func token(
    of camera: FileLayer.Camera, _ partial: PartialCameraSettings, demo: AccessToken?,
    readFile: (String) throws -> String
  ) -> TokenDigest? {
    switch partial.token {
    case .text, .file:
      return secret("token", .token, partial.token, in: partial, readFile).map { TokenDigest(written: $0) }
    case nil where !partial.refused.isDisjoint(with: tokenKeys): return nil
    case nil where demo != nil && camera.name.text == ServeSettings.demoName:
      // The demo paints its own stills; nobody else can push.
      return demo?.digest
    case nil where partial.door.folder != nil:
      // The stills come from the folder; a secret that nobody knows keeps everyone from pushing.
      return tokens.unknown
    case nil:
      let give =
        if case .file = camera.place {
          "write token: SECRET or token-file: FILE under it"
        } else {
          "give --token SECRET or --token-file FILE with it"
        }
      problems.append(
        .init(
          at: camera.place, key: "cameras.\(camera.name).token",
          "found nothing; make one with `quietcam token` and \(give); accepted: \(ValueType<String>.token.accepted)"))
      return nil
    }
  }
}

/// The two keys for the secret that signs links.
private let linkKeys: Set = ["link-key", "link-key-file"]

extension TokenDigest {
  /// A digest, or a token of which only the digest is kept.
  fileprivate init(written text: String) { self = TokenDigest(text) ?? TokenDigest(of: text) }
}

extension String {
  /// Without the white space around it that an editor leaves in a file.
  fileprivate var trimmed: String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
