import Access
import Media
import Origin
import Picture
import Settings
import Station
import Testing

/// The files `cameras.d/NAME.yaml` of cameras that were set over HTTP.
@Suite struct CameraFileTests {
  private let desk = CameraName("desk")!

  private func file(_ text: String, _ name: String = "desk.yaml") -> CameraFile {
    CameraFile(path: "cameras.d/\(name)", bytes: Array(text.utf8))
  }

  private func load(_ yaml: String? = nil, _ files: [CameraFile], flags: [String: String] = [:]) throws(SettingsError)
    -> ServeSettings
  {
    try ServeSettings.load(
      file: yaml.map { ("q.yaml", $0) }, environment: [:], flags: flags, cameraFiles: { _ in files }
    ) { _ in "" }
  }

  private func written(_ text: String, earlier: CameraFile? = nil) throws(SettingsError) -> CameraFile {
    try CameraFile.written(text, for: desk, path: "cameras.d/desk.yaml", in: "request", earlier: earlier)
  }

  private func text(_ file: CameraFile) -> String { String(decoding: file.bytes, as: UTF8.self) }

  @Test func theyWinOverTheConfigurationKeyByKeyAndFlagsOverThem() throws {
    let yaml = "defaults: {crf: 30}\ncameras:\n  desk: {token: s3cret-token, size: 320x240, gray: true}\n"
    let files = [file("size: 800x600\ncrf: 28\n"), file("token: another-token", "door.yaml")]
    let settings = try load(yaml, files)
    #expect(settings.cameras.map(\.name.text) == ["desk", "door"])
    #expect(settings.cameras[0].picture.size.width == 800)
    #expect(settings.cameras[0].picture.isGray)
    #expect(settings.cameras.map(\.encoder.crf) == [28, 30])
    #expect(settings.doors[desk]?.tokens == [TokenDigest(of: "s3cret-token")])
    #expect(try load(yaml, files, flags: ["crf": "20"]).cameras.map(\.encoder.crf) == [20, 20])
  }

  @Test func mistakesAreToldWithTheirLine() {
    let files = [file("token: s3cret-token\nsize: big\n\ncolour: red\n"), file("", "De sk.yaml"), file("", "desk.yml")]
    let error = #expect(throws: SettingsError.self) { try load(nil, files) }
    let places = error?.problems.map(\.place) ?? []
    #expect(
      places.prefix(4)
        == ["cameras.d/desk.yaml:2", "cameras.d/desk.yaml:4", "cameras.d/De sk.yaml:1", "cameras.d/desk.yml:1"])
  }

  /// A line separator that only YAML knows must not make the file one that the next start refuses.
  @Test(arguments: ["\u{85}", "\u{2028}", "\u{2029}", "\u{9F}", "\u{FFFD}", "\u{FEFF}", "\\"])
  func whatIsWrittenCanBeReadAgain(character: String) throws {
    let codes = character.utf16.map { unit in
      let code = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - code.count) + code
    }
    let file = try written("{\"token\": \"s3cret-token\", \"title\": \"a\(codes.joined())b\"}")
    #expect(try load(nil, [file]).cameras.first?.title == "a\(character)b")
  }

  @Test func whatIsSentIsWrittenPlainlyAndWithoutTheToken() throws {
    let sent = """
      {"token": "s3cret-token", "size": "320x240", "title": "A \\"desk\\" \\u00e4", "crf": 30,
       "masks": [{"rectangle": {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}}]}
      """
    let file = try written(sent)
    #expect(
      text(file).split(separator: "\n").dropFirst().map(String.init) == [
        "token: \"\(TokenDigest(of: "s3cret-token"))\"", "size: \"320x240\"", "title: \"A \\\"desk\\\" ä\"",
        "crf: \"30\"", "masks:", "  -", "    rectangle:", "      x: \"0.1\"", "      y: \"0.2\"",
        "      width: \"0.3\"", "      height: \"0.4\"",
      ])
    #expect(!text(file).contains("s3cret"))
    let settings = try load(nil, [file])
    #expect(settings.cameras[0].title == "A \"desk\" ä")
    #expect(settings.cameras[0].picture.masks.count == 1)
    #expect(settings.doors[desk]?.tokens == [TokenDigest(of: "s3cret-token")])
    // What was written can be sent again.
    #expect(try text(written(text(file))) == text(file))
  }

  @Test func aTokenThatIsNotSentStays() throws {
    let first = try written("token: s3cret-token\nsize: 320x240\n")
    let second = try written("crf: 30\n", earlier: first)
    #expect(try load(nil, [second]).doors[desk]?.tokens == [TokenDigest(of: "s3cret-token")])
    #expect(!text(second).contains("size"))
    let third = try written("token-file: /etc/t\n", earlier: second)
    #expect(!text(third).contains("sha256"))
  }

  @Test(arguments: [
    ("size: big\ncolour: red", ["request:1", "request:2"]), ("- a", ["request:1"]), ("a: [", ["request:1"]),
    ("token: s3cret-token\ntoken-file: b", ["request:2"]), ("public: 127.0.0.1:1", ["request:1"]),
  ]) func mistakesInWhatIsSentAreToldWithItsLine(sent: String, places: [String]) {
    let error = #expect(throws: SettingsError.self) { try written(sent) }
    #expect(error?.problems.map(\.place) == places)
  }

  @Test func theReportSaysWhatIsSetAndWhereAndNoToken() throws {
    let yaml = "cameras:\n  desk: {token: s3cret-token, size: 320x240, crf: 30}\n"
    let own = try written("size: 800x600\nmasks: []\n")
    let report = CameraFile.report(of: desk, file: ("q.yaml", yaml), own: own)
    #expect(
      report == #"{"camera":"desk","settings":{"crf":"30","size":"800x600","masks":[]},"hasToken":true"#
        + #","from":["q.yaml:2","cameras.d/desk.yaml"]}"#)
    #expect(
      CameraFile.report(of: desk, file: nil, own: nil)
        == #"{"camera":"desk","settings":{},"hasToken":false,"from":[]}"#)
  }
}
