import Access
import Media
import Origin
import Packager
import Station

/// The layers put together, and the rules that hold between settings.
struct Assembly {
  private let file: FileLayer
  /// The environment and the command line, the stronger one last.
  private let texts: [TextLayer]
  private(set) var problems: [SettingsError.Problem]

  init(file: FileLayer, texts: [TextLayer], problems: [SettingsError.Problem]) {
    self.file = file
    self.texts = texts
    self.problems = problems
  }

  /// What all layers come to; only good where no problem was added.
  mutating func settings(path: String?, readFile: (String) throws -> String) -> ServeSettings {
    var draft = ServeDraft()
    for change in file.server + texts.flatMap(\.server) { change.apply(to: &draft) }
    checkAddresses(draft)
    for key in ["operator-token", "link-key"] { checkOneSource(key, draft) }
    draft.settings.publicCertificate = certificate("public", draft.publicCertificate, draft.publicKey, in: draft)
    draft.settings.privateCertificate = certificate("private", draft.privateCertificate, draft.privateKey, in: draft)

    let operatorToken = secret("operator-token", .token, draft.operatorToken, in: draft, readFile)
    draft.settings.operatorToken = operatorToken.map { TokenDigest(written: $0) }
    draft.settings.operatorSecret = operatorToken.flatMap { $0.hasPrefix(TokenDigest.prefix) ? nil : $0 }
    draft.settings.linkKey = secret("link-key", .linkKey, draft.linkKey, in: draft, readFile)
      .map { LinkKey(secret: $0) }
    if draft.settings.isDemo { draft.settings.demoToken = AccessToken() }

    var cameras = file.cameras
    if let named = draft.camera, !cameras.contains(where: { $0.name == named }) {
      cameras.append(.init(name: named, place: draft.spots["camera"]?.place ?? .standard, changes: []))
    }
    if draft.settings.isDemo, let demo = CameraName(ServeSettings.demoName),
      !cameras.contains(where: { $0.name == demo })
    {
      cameras.append(.init(name: demo, place: draft.spots["demo"]?.place ?? .standard, changes: []))
    }
    if cameras.isEmpty, !file.isBroken, !draft.refused.contains("camera"), !draft.refused.contains("demo") {
      let place = path.map { Place.file(path: $0, line: 1) } ?? .flag("camera")
      let advice = "--camera NAME --token SECRET for one, --config FILE with cameras: in it for several, --demo to look"
      problems.append(.init(at: place, key: "cameras", "no camera is configured; give \(advice)"))
    }
    for camera in cameras {
      let settings = self.camera(camera, in: draft, readFile: readFile)
      if let settings { draft.settings.cameras.append(settings) }
    }
    return draft.settings
  }

  private mutating func checkAddresses(_ draft: ServeDraft) {
    let (viewers, cameras) = (draft.settings.publicAddress, draft.settings.privateAddress)
    guard viewers == cameras, viewers.port != 0, draft.refused.isDisjoint(with: ["public", "private"]) else { return }
    let key = draft.spots["private"] == nil ? "public" : "private"
    let other = key == "public" ? "private" : "public"
    let spot = draft.spots[key] ?? Spot(place: .standard, path: key)
    let otherPlace = draft.spots[other]?.place ?? .standard
    problems.append(
      .init(
        at: spot.place, key: spot.path,
        "found \(viewers), which \(other) has too (\(otherPlace)); accepted: another port or host for each"))
  }

  /// Adds the problem that one layer gives both a secret and a file with it.
  private mutating func checkOneSource(_ key: String, _ draft: ServeDraft) {
    guard let text = draft.spots[key], let file = draft.spots["\(key)-file"] else { return }
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

  /// The two files of a door's certificate, which only go together.
  private mutating func certificate(
    _ door: String, _ certificate: String?, _ key: String?, in draft: ServeDraft
  ) -> CertificateFiles? {
    let names = (certificate: "\(door)-certificate", key: "\(door)-key")
    if let certificate, let key { return CertificateFiles(certificate: certificate, key: key) }
    guard certificate != nil || key != nil, draft.refused.isDisjoint(with: [names.certificate, names.key]) else {
      return nil
    }
    let (given, missing) = certificate == nil ? (names.key, names.certificate) : (names.certificate, names.key)
    let spot = draft.spots[given] ?? Spot(place: .standard, path: given)
    problems.append(.init(at: spot.place, key: spot.path, "found without \(missing); accepted: both or none"))
    return nil
  }

  private mutating func camera(
    _ camera: FileLayer.Camera, in server: ServeDraft, readFile: (String) throws -> String
  ) -> CameraSettings? {
    var draft = CameraDraft()
    for change in file.defaults + camera.changes { change.apply(to: &draft) }
    // Without a name the settings of a text layer are for every camera.
    if server.camera == nil || server.camera == camera.name {
      for change in texts.flatMap(\.camera) { change.apply(to: &draft) }
    }
    let token = token(of: camera, draft, demo: server.settings.demoToken, readFile: readFile)
    guard let timeline = timeline(of: camera, draft), let token else { return nil }
    var settings = CameraSettings(
      name: camera.name, token: token, picture: draft.picture, encoder: draft.encoder, timeline: timeline,
      latestQuality: draft.latestQuality, maxStillBytes: draft.maxStillBytes, interval: draft.interval,
      ladder: draft.ladder, off: draft.off, veil: draft.veil, delay: draft.delay, marksRecorded: draft.marksRecorded,
      remember: draft.remember)
    (settings.folder, settings.scansFolder) = (draft.folder, draft.scansFolder)
    settings.showsAtOnce = showsAtOnce(draft)
    settings.signing = draft.signing
    settings.access = draft.access
    settings.maxRate = draft.maxRate
    settings.stillChoice = draft.stillChoice
    if camera.name.text == ServeSettings.demoName, let demo = server.settings.demoToken, demo.digest != token {
      settings.tokens.append(demo.digest)
    }
    if draft.access == .signed, server.settings.linkKey == nil, server.refused.isDisjoint(with: linkKeys) {
      let spot = draft.spots["access"] ?? Spot(place: .standard, path: "access")
      problems.append(
        .init(
          at: spot.place, key: spot.path,
          "found signed without link-key, which links are made with; make one with `quietcam token` and give "
            + "link-key: SECRET or link-key-file: FILE"))
    }
    return settings
  }

  /// Whether stills are shown before their part: photos that are put into a folder are waited for.
  private mutating func showsAtOnce(_ draft: CameraDraft) -> Bool {
    let hindrance = draft.delay > .zero ? "delay" : draft.veil != nil ? "veil-every" : nil
    if draft.showsAtOnce == true, let hindrance {
      let spot = draft.spots["at-once"] ?? Spot(place: .standard, path: "at-once")
      problems.append(.init(at: spot.place, key: spot.path, "found true with \(hindrance); accepted: one of them"))
    }
    return draft.showsAtOnce ?? (draft.folder != nil && hindrance == nil)
  }

  private mutating func timeline(of camera: FileLayer.Camera, _ draft: CameraDraft) -> TimelineSettings? {
    guard draft.refused.isDisjoint(with: CameraDraft.timelineKeys) else { return nil }
    do {
      return try draft.timeline()
    } catch {
      // Where the setting that breaks the rule is a default, another one that was given made it do so.
      let given = CameraDraft.timelineKeys.lazy.compactMap { draft.spots[$0] }.first
      let spot =
        draft.spots[error.setting]
        ?? Spot(place: given?.place ?? .standard, path: "cameras.\(camera.name).\(error.setting)")
      let standard = draft.spots[error.setting] == nil ? "the default " : ""
      problems.append(.init(at: spot.place, key: spot.path, "found \(standard)\(error.description)"))
      return nil
    }
  }

  /// The text of a secret that is given as such or in a file; `nil` where there is none or it cannot be taken.
  private mutating func secret(
    _ key: String, _ kind: Kind<String>, _ source: SecretSource?, in draft: some Draft,
    _ readFile: (String) throws -> String
  ) -> String? {
    switch source {
    case .text(let text): return text
    case .file(let path):
      let spot = draft.spots["\(key)-file"] ?? Spot(place: .standard, path: "\(key)-file")
      do {
        let text = try readFile(path)
        let given = Given(content: .text(text.trimmed), place: spot.place)
        return kind.read(given, spot.path, &problems)
      } catch {
        problems.append(
          .init(
            at: spot.place, key: spot.path,
            "found \(path.debugDescription), which cannot be read (\(error)); accepted: the path of a file"))
        return nil
      }
    case nil: return nil
    }
  }

  private mutating func token(
    of camera: FileLayer.Camera, _ draft: CameraDraft, demo: AccessToken?, readFile: (String) throws -> String
  ) -> TokenDigest? {
    switch draft.token {
    case .text, .file:
      return secret("token", .token, draft.token, in: draft, readFile).map { TokenDigest(written: $0) }
    case nil where !draft.refused.isDisjoint(with: tokenKeys): return nil
    case nil where demo != nil && camera.name.text == ServeSettings.demoName:
      // The demo paints its own stills; nobody else may push.
      return demo?.digest
    case nil where draft.folder != nil:
      // A folder brings its own stills; a secret that nobody knows keeps everyone from pushing.
      return AccessToken().digest
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
          "found nothing; make one with `quietcam token` and \(give); accepted: \(Kind<String>.token.accepted)"))
      return nil
    }
  }
}

/// The two keys that give what links are made with.
private let linkKeys: Set = ["link-key", "link-key-file"]

extension TokenDigest {
  /// What the configuration says: a digest, or a token of which only the digest is kept.
  fileprivate init(written text: String) { self = TokenDigest(text) ?? TokenDigest(of: text) }
}

extension String {
  /// Without the blanks and line ends around it that an editor leaves in a file.
  fileprivate var trimmed: String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
