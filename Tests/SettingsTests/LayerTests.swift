import Access
import Bucket
import Hours
import Media
import Notify
import Origin
import Packager
import Picture
import Settings
import Station
import Testing

/// A key, a value that is not its default, and whether it arrived.
struct KeyCase: Sendable, CustomTestStringConvertible {
  let key: String
  let text: String
  let holds: @Sendable (ServeSettings) -> Bool

  var testDescription: String { key }

  init(_ key: String, _ text: String, _ holds: @escaping @Sendable (ServeSettings) -> Bool) {
    self.key = key
    self.text = text
    self.holds = holds
  }

  static func camera<Value: Equatable & Sendable>(
    _ key: String, _ text: String, _ value: Value, _ get: @escaping @Sendable (CameraSettings) -> Value
  ) -> KeyCase {
    KeyCase(key, text) { $0.cameras.map(get) == [value] }
  }

  static func door<Value: Equatable & Sendable>(
    _ key: String, _ text: String, _ value: Value, _ get: @escaping @Sendable (DoorSettings) -> Value
  ) -> KeyCase {
    KeyCase(key, text) { $0.doors.values.map(get) == [value] }
  }

  static let process: [KeyCase] = [
    KeyCase("public", "[::1]:0") { $0.publicAddress == ListenAddress(host: "::1", port: 0) },
    KeyCase("private", "camera.example:65535") {
      $0.privateAddress == ListenAddress(host: "camera.example", port: 65_535)
    },
    KeyCase("store", "memory") { $0.store == .memory },
    KeyCase("keep-visits", "0") { $0.keepVisits == 0 },
    KeyCase("trusted-proxies", "10.0.0.0/8 ::1") { $0.trustedProxies == TrustedProxies("10.0.0.0/8 ::1") },
    KeyCase("operator-token", "operator") { $0.operatorToken == TokenDigest(of: "operator") },
    KeyCase("private-hosts", "Cam.local, my_cam") { $0.privateHosts == ["cam.local", "my_cam"] },
    KeyCase("operator-token-file", "secret.txt") { $0.operatorToken == TokenDigest(of: "from-a-file") },
    KeyCase("link-key", "0123456789abcdef") { $0.linkKey == LinkKey(secret: "0123456789abcdef") },
    KeyCase("link-key-file", "key.txt") { $0.linkKey == LinkKey(secret: "a-key-from-a-file") },
    KeyCase("notify-secret", "0123456789abcdef") { $0.notify.secret == "0123456789abcdef" },
    KeyCase("notify-secret-file", "key.txt") { $0.notify.secret == "a-key-from-a-file" },
    KeyCase("allow-origin", "none") { $0.site.allowedOrigin == nil },
    KeyCase("embed", "https://a.example http://[::1]:80") {
      $0.site.frameAncestors == "https://a.example http://[::1]:80"
    },
    KeyCase("public-connections", "7") { $0.publicConnections == 7 },
    KeyCase("private-connections", "7") { $0.privateConnections == 7 },
    KeyCase("connections-per-address", "7") { $0.connectionsPerAddress == 7 },
    KeyCase("upload-megabytes", "7") { $0.uploadMegabytes == 7 },
    KeyCase("remember-megabytes", "7") { $0.rememberMegabytes == 7 },
    KeyCase("patience", "7s") { $0.patience == .seconds(7) },
    KeyCase("base-url", "https://a.example/cam/") { $0.site.baseURL == "https://a.example/cam/" },
    KeyCase("site-title", "My cameras") { $0.site.title == "My cameras" },
    KeyCase("favicon", "icon.svg") { $0.site.iconFile == "icon.svg" },
    KeyCase("log", "json,trace") { $0.log.level == .trace && $0.log.format == .json },
    KeyCase("step-down", "false") { !$0.stepsDown },
    KeyCase("demo", "true") { $0.isDemo && $0.cameras.map(\.name.text) == ["desk", "demo"] },
  ]

  static let camera: [KeyCase] = [
    .door("token", "12345678", TokenDigest(of: "12345678")) { $0.tokens[0] },
    .door("token-file", "secret.txt", TokenDigest(of: "from-a-file")) { $0.tokens[0] },
    .door("signature", "required", .required) { $0.signing },
    .door("max-rate", "7", 7) { $0.maxRate },
    .camera("size", "320x240", PictureSize(width: 320, height: 240)) { $0.picture.size },
    .camera("fit", "cover", .cover) { $0.picture.fit },
    .camera("gray", "true", true) { $0.picture.isGray },
    .camera("blur", "100", 100) { $0.picture.blur },
    .camera("denoise", "0", 0) { $0.picture.denoise },
    .camera("max-pixels", "1024", 1024) { $0.picture.maxPixels },
    .camera("preset", "veryslow", .veryslow) { $0.encoder.preset },
    .camera("crf", "51", 51) { $0.encoder.crf },
    .camera("ssim", "990", 990) { $0.encoder.ssim },
    .camera("references", "3", 3) { $0.encoder.references },
    .camera("max-kilobits", "400", 400) { $0.encoder.maxKilobits },
    .camera("rate", "10", Ticks.milliseconds(100)) { $0.timeline.step },
    .camera("part", "500ms", Ticks.milliseconds(500)) { $0.timeline.part },
    .camera("segment", "6s", Ticks.seconds(6)) { $0.timeline.segment },
    .camera("window", "100", 100) { $0.timeline.listedSegments },
    .camera("plain-segment", "2s", Ticks.seconds(2)) { $0.timeline.plain.segment },
    .camera("latest-quality", "1", 1) { $0.latestQuality },
    .camera("max-still-bytes", "1024", 1024) { $0.maxStillBytes },
    .camera("still-choice", "field:scene", .field("scene")) { $0.stillChoice },
    .camera("interval", "0.5", Ticks.milliseconds(500)) { $0.interval },
    .camera("hold", "90", Ticks.seconds(90)) { $0.presence.hold },
    .camera("steady", "0", Ticks.zero) { $0.presence.steady },
    .camera("off", "cached", .cached) { $0.off },
    .camera("hours", "mon-fri 08:00-18:00 Europe/Berlin", "mon-fri 08:00-18:00 Europe/Berlin") { $0.hours?.text },
    .camera("veil-every", "60..90.5", Ticks.seconds(60)...Ticks.milliseconds(90_500)) { $0.veil?.every },
    .camera("delay", "10", Ticks.seconds(10)) { $0.delay },
    .camera("mark-recorded", "true", true) { $0.marksRecorded },
    .camera("remember", "1.5h", Ticks.seconds(5400)) { $0.remember },
    .door("folder", "/srv/desk", "/srv/desk") { $0.folder },
    .door("folder-scan", "true", true) { $0.scansFolder },
    .camera("at-once", "true", true) { $0.showsAtOnce },
    .camera("bucket-copy", "never", false) { $0.isCopied },
    .camera("title", "My desk", "My desk") { $0.title },
    .camera("photo-size", "800x600", PictureSize(width: 800, height: 600)) { $0.photoSize },
    .camera("keep-photos", "7", 7) { $0.keepPhotos },
  ]

  var variable: String { "QUIETCAM_" + key.uppercased().replacing("-", with: "_") }
}

@Suite struct LayerTests {
  private let files = ["secret.txt": "from-a-file\r\n", "key.txt": "a-key-from-a-file\n"]

  @Test func casesCoverEveryKeyButTheShapesAndTheCamera() {
    let covered = Set((KeyCase.process + KeyCase.camera).map(\.key))
    let pairs = ["notify", "veil-for", "public-certificate", "public-key", "private-certificate", "private-key"]
    let bucket = ["bucket", "bucket-endpoint", "bucket-region", "bucket-style", "bucket-key", "bucket-key-file"]
    #expect(covered.union(["crop", "masks", "camera", "access"] + pairs + bucket) == Set(Setting.all.map(\.key)))
  }

  @Test func aBucketNeedsAKeyAndItsOtherSettingsABucket() throws {
    let text = "bucket: s3://cams/live\nbucket-key: AKID:word-of-mine\n"
    let bucket = try #require(try load(text + desk()).bucket)
    #expect(bucket.place.description == "s3://cams/live" && bucket.key.id == "AKID")
    #expect(
      bucket.region == "us-east-1" && bucket.style == .host && bucket.endpoint.host == "s3.us-east-1.amazonaws.com")
    let more = "bucket-endpoint: http://127.0.0.1:8333\nbucket-region: eu-west-1\nbucket-style: host\n"
    let own = try #require(try load(text + more + desk()).bucket)
    #expect(own.region == "eu-west-1" && own.style == .host && own.endpoint.description == "http://127.0.0.1:8333")
    let filed = try load(
      "bucket: s3://cams\nbucket-key-file: s3.txt\n" + desk(), files: ["s3.txt": "AKID:from/a+file=\n"])
    #expect(filed.bucket?.key == AccessKey(id: "AKID", secret: "from/a+file="))
    #expect(try load(desk()).bucket == nil)
    let given = try load(desk(), flags: ["bucket": "s3://cams", "bucket-key": "AKID:word-of-mine"])
    #expect(given.bucket?.place.name == "cams")
    #expect(problems("bucket: s3://cams\n" + desk()).first?.contains("bucket-key-file") == true)
    for key in ["bucket-key: AKID:word-of-mine", "bucket-region: eu-west-1", "bucket-style: path"] {
      #expect(problems(key + "\n" + desk()).first?.contains("found without bucket") == true)
    }
    for wrong in [
      "bucket: cams", "bucket: s3://UPPER", "bucket-endpoint: 127.0.0.1:8333", "bucket-endpoint: https://a/b",
      "bucket-style: virtual", "bucket-region: Frankfurt am Main", "bucket-key: word-of-mine",
    ] {
      let others = text.split(separator: "\n").filter { !wrong.hasPrefix($0.prefix { $0 != ":" } + ":") }
      let found = problems(others.joined(separator: "\n") + "\n" + wrong + "\n" + desk())
      #expect(found.count == 1 && !found[0].contains("word-of-mine"), "\(wrong): \(found)")
    }
  }

  @Test func onlyOpenCamerasAreCopiedUnlessTheOperatorSaysSo() throws {
    let key = "link-key: 0123456789abcdef\n"
    for (lines, isCopied) in [
      ([], true), (["access: signed"], false), (["access: signed", "bucket-copy: always"], true),
      (["bucket-copy: never"], false), (["access: open", "bucket-copy: open"], true),
    ] as [([String], Bool)] {
      let defaults = lines.isEmpty ? "" : "defaults: {\(lines.joined(separator: ", "))}\n"
      #expect(try load(key + defaults + desk()).cameras.map(\.isCopied) == [isCopied], "\(lines)")
    }
  }

  @Test func receiversNeedASecret() throws {
    let secret = "notify-secret: 0123456789abcdef\n"
    let (one, two) = ("https://a.example/hook?key=secret", "http://[::1]:8123/b")
    for text in ["notify: \(one) \(two)\n", "notify:\n  - \(one)\n  - \(two)\n"] {
      #expect(try load(text + secret + desk()).notify.receivers.map(\.url) == [one, two])
    }
    #expect(try load(desk(), flags: ["notify": one, "notify-secret": "0123456789abcdef"]).notify.receivers.count == 1)
    #expect(try load("notify: none\n" + desk()).notify.receivers == [])
    #expect(problems("notify: \(one)\n" + desk()).first?.contains("`quietcam token`") == true)
    for wrong in [
      "ftp://a.example/", "a.example", "https://user:word@a.example/", "https://", "https://a.example:99999/",
      "https://a.example/#x", "\(one) \(one)", "\(one) secret-word", "{a: b}", "[[a]]",
    ] {
      let found = problems("notify: \(wrong.contains("#") ? "'\(wrong)'" : wrong)\n" + secret + desk())
      #expect(found.count == 1 && found[0].contains("such as https://example.org/hook"), "\(wrong): \(found)")
      #expect(!found.contains { $0.contains("secret-word") || $0.contains("key=secret") || $0.contains("user:word") })
    }
  }

  @Test func aVeilHasBothItsRanges() throws {
    let veil = try load(desk("veil-every: 60..90\n    veil-for: 5..7")).cameras[0].veil
    #expect(veil?.every == Ticks.seconds(60)...Ticks.seconds(90) && veil?.length == Ticks.seconds(5)...Ticks.seconds(7))
    #expect(try load(desk("veil-for: 5..7")).cameras[0].veil == nil)
    #expect(try load(desk("hold: forever")).cameras[0].presence.hold == nil)
    for wrong in ["90..60", "60", "0..5", "5..", "1..2..3", "1..90000"] {
      #expect(problems(desk("veil-every: \(wrong)")).count == 1)
    }
  }

  @Test(arguments: ["public", "private"]) func aCertificateAndItsKeyGoTogetherInEveryLayer(door: String) throws {
    let get = door == "public" ? \ServeSettings.publicCertificate : \ServeSettings.privateCertificate
    let files = CertificateFiles(certificate: "a.pem", key: "b.pem")
    #expect(try load(desk())[keyPath: get] == nil)
    #expect(try load(desk() + "\(door)-certificate: a.pem\n\(door)-key: b.pem")[keyPath: get] == files)
    let mixed = try load(
      desk() + "\(door)-certificate: a.pem", environment: ["QUIETCAM_\(door.uppercased())_KEY": "x"],
      flags: ["\(door)-key": "b.pem"])
    #expect(mixed[keyPath: get] == files)
    #expect(
      problems(desk(), flags: ["\(door)-key": "b.pem"])
        == ["--\(door)-key: found without \(door)-certificate; accepted: both or none"])
    #expect(
      problems("\(door)-certificate: a.pem\n" + desk())
        == ["q.yaml:1: \(door)-certificate: found without \(door)-key; accepted: both or none"])
  }

  @Test(arguments: KeyCase.process) func fileSetsTheProcess(_ item: KeyCase) throws {
    #expect(try !item.holds(load(desk())))
    #expect(try item.holds(load(desk() + "\(item.key): '\(item.text)'", files: files)))
  }

  @Test(arguments: KeyCase.camera) func fileSetsACamera(_ item: KeyCase) throws {
    let line = "\(item.key): \(item.text)"
    let yaml = item.key.hasPrefix("token") ? "cameras: {desk: {\(line)}}" : desk(line)
    #expect(try item.holds(load(yaml, files: files)))
    #expect(try !item.holds(load(desk())))
  }

  @Test(arguments: KeyCase.camera.filter { !$0.key.hasPrefix("token") })
  func fileSetsEveryCameraByDefaults(_ item: KeyCase) throws {
    #expect(try item.holds(load("defaults:\n  \(item.key): \(item.text)\n" + desk())))
  }

  @Test(arguments: KeyCase.process + KeyCase.camera) func environmentWinsOverFile(_ item: KeyCase) throws {
    #expect(try item.holds(load(desk(), environment: [item.variable: item.text], files: files)))
  }

  @Test(arguments: KeyCase.process + KeyCase.camera) func flagsWinOverFile(_ item: KeyCase) throws {
    #expect(try item.holds(load(desk(), flags: [item.key: item.text], files: files)))
  }

  @Test(arguments: KeyCase.camera) func flagsGoToTheCameraTheyName(_ item: KeyCase) throws {
    let flags = ["camera": "desk", item.key: item.text]
    #expect(try item.holds(load(desk(), flags: flags, files: files)))
    let two = try load(desk() + "  roof: {token: other-token}", flags: flags, files: files)
    let roof = try load("cameras: {roof: {token: other-token}}")
    #expect(try two.camera("roof") == roof.camera("roof") && two.door("roof") == roof.door("roof"))
  }

  @Test func laterLayerWins() throws {
    let yaml = "log: debug\ndefaults: {crf: 20, blur: 1, gray: true}\n" + desk("crf: 21", "blur: 2", "denoise: 1")
    let settings = try load(
      yaml, environment: ["QUIETCAM_LOG": "notice", "QUIETCAM_CRF": "22", "QUIETCAM_BLUR": "3"],
      flags: ["log": "error", "crf": "23"])
    let camera = try settings.camera("desk")
    #expect(settings.log.level == .error)
    #expect(camera.encoder.crf == 23)
    #expect(camera.picture.blur == 3)
    #expect(camera.picture.denoise == 1)
    #expect(camera.picture.isGray)
  }

  @Test func cameraWinsOverDefaultsOfTheFile() throws {
    let settings = try load("defaults: {crf: 20}\n" + desk("crf: 21") + "  roof:\n    token: other-token\n")
    #expect(settings.cameras.map(\.name.text) == ["desk", "roof"])
    #expect(settings.cameras.map(\.encoder.crf) == [21, 20])
  }

  @Test func tokenOfALaterLayerReplacesATokenFile() throws {
    let settings = try load(
      "cameras: {desk: {token-file: missing}}", environment: ["QUIETCAM_TOKEN": "from-the-environment"])
    #expect(try settings.door("desk").tokens == [TokenDigest(of: "from-the-environment")])
  }

  @Test func oneCameraNeedsNoFile() throws {
    let settings = try load(flags: ["camera": "desk", "token": "s3cret-token"])
    let timeline = try TimelineSettings()
    let name = try #require(CameraName("desk"))
    var desk = CameraSettings(name: name, timeline: timeline)
    desk.photoSize = PictureSize(width: 1920, height: 1280)
    desk.keepPhotos = 100
    desk.isCopied = true
    #expect(settings.cameras == [desk])
    #expect(settings.doors == [name: DoorSettings(tokens: [TokenDigest(of: "s3cret-token")])])
    #expect(settings.publicAddress.description == "127.0.0.1:8080")
    #expect(settings.privateAddress.description == "127.0.0.1:8081")
    #expect(settings.store == .folder("hls-out"))
    #expect(settings.operatorToken == nil)
    #expect(!settings.isDemo)
    #expect(settings.log.level == .info)
  }

  @Test func namedCameraIsAddedToThoseOfTheFile() throws {
    let settings = try load(
      "defaults: {crf: 30}\n" + desk(), environment: ["QUIETCAM_CAMERA": "roof", "QUIETCAM_TOKEN": "roof-token"])
    #expect(settings.cameras.map(\.name.text) == ["desk", "roof"])
    #expect(
      settings.cameras.map { settings.doors[$0.name]?.tokens } == [
        [TokenDigest(of: "s3cret-token")], [TokenDigest(of: "roof-token")],
      ])
    #expect(settings.cameras.map(\.encoder.crf) == [30, 30])
  }

  @Test func aPrivateCameraNeedsAKeyForItsLinks() throws {
    let told = "found signed without link-key, which signs the links; make one with `quietcam token` and give "
    #expect(
      problems(desk("access: signed"))
        == ["q.yaml:4: cameras.desk.access: \(told)link-key: SECRET or link-key-file: FILE"])
    let settings = try load(desk("access: signed"), environment: ["QUIETCAM_LINK_KEY": "0123456789abcdef"])
    #expect(try settings.door("desk").access == .signed)
    #expect(try load(desk()).door("desk").access == .open)
  }

  @Test func aTokenMayBeGivenByItsDigest() throws {
    let digest = TokenDigest(of: "s3cret-token")
    let settings = try load("operator-token: \(digest)\ncameras: {desk: {token: '\(digest)'}}")
    #expect(settings.operatorToken == digest)
    #expect(try settings.door("desk").tokens == [digest])
    #expect(problems("cameras: {desk: {token: 'sha256:12345678'}}").count == 1)
  }

  @Test func aSecretAndAFileWithOneInOneLayerAreRefused() throws {
    #expect(
      problems("operator-token: 12345678\noperator-token-file: secret.txt\n" + desk(), files: files) == [
        "q.yaml:2: operator-token-file: operator-token is given too, at q.yaml:1; accepted: one of operator-token and "
          + "operator-token-file"
      ])
    let flags = ["operator-token-file": "secret.txt"]
    let settings = try load("operator-token: 12345678\n" + desk(), flags: flags, files: files)
    #expect(settings.operatorToken == TokenDigest(of: "from-a-file"))
  }

  @Test func demoNeedsNothingElse() throws {
    let one = try load(flags: ["demo": "true"])
    let other = try load(environment: ["QUIETCAM_DEMO": "true"])
    #expect(one.cameras.map(\.name.text) == ["demo"])
    #expect(try one.door("demo").tokens == [one.demoToken?.digest])
    #expect(try one.door("demo").tokens != other.door("demo").tokens)
  }

  @Test func demoTakesTheCameraOfItsName() throws {
    let settings = try load("demo: true\ncameras: {demo: {crf: 40}}")
    #expect(settings.cameras.map(\.encoder.crf) == [40])
    let own = try load("demo: true\ncameras: {demo: {token: my-own-token}}")
    let demo = try #require(own.demoToken)
    #expect(own.cameras.map { own.doors[$0.name]?.tokens } == [[TokenDigest(of: "my-own-token"), demo.digest]])
  }

  @Test func otherVariablesAreIgnored() throws {
    let environment = [
      "PATH": "/bin", "QUIETCAM_CONFIG": "q.yaml", "QUIETCAM_TEST_SIZE": "big", "quietcam_size": "big",
    ]
    #expect(try load(desk(), environment: environment, flags: ["config": "q.yaml"]) == load(desk()))
  }

  @Test func everySettingOfACameraInTheFileArrives() throws {
    let settings = try load(
      """
      # A comment, and a byte that is not ASCII: ü
      public: 127.0.0.1:9000
      private: "127.0.0.1:9001"
      store: 'a folder'
      cameras:
        desk:
          token: s3cret-token   # not this
          crop: {x: 0, y: 0.1, width: 1, height: 0.9}
          masks:
            - rectangle: {x: 0.1, y: 0.2, width: 0.3, height: 0.4}
            - polygon: [[0.1, 0.2], [0.5, 0.2], [0.3, 0.6]]
            - polygon:
                - [0, 0]
                - [1, 0]
                - [1, 1]
      """)
    let camera = try settings.camera("desk")
    #expect(settings.store == .folder("a folder"))
    #expect(try settings.door("desk").tokens == [TokenDigest(of: "s3cret-token")])
    #expect(camera.picture.crop == UnitRect(x: 0, y: 0.1, width: 1, height: 0.9))
    #expect(
      camera.picture.masks == [
        PrivacyMask(rectangle: UnitRect(x: 0.1, y: 0.2, width: 0.3, height: 0.4)),
        PrivacyMask(polygon: [UnitPoint(x: 0.1, y: 0.2), UnitPoint(x: 0.5, y: 0.2), UnitPoint(x: 0.3, y: 0.6)]),
        PrivacyMask(polygon: [UnitPoint(x: 0, y: 0), UnitPoint(x: 1, y: 0), UnitPoint(x: 1, y: 1)]),
      ])
  }

  @Test func byteOrderMarkAndWindowsLineEndsAreTaken() throws {
    let settings = try load("\u{FEFF}log: debug\r\n" + desk("crf: 21").replacing("\n", with: "\r\n"))
    #expect(settings.log.level == .debug)
    #expect(try settings.camera("desk").encoder.crf == 21)
  }
}
