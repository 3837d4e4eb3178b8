import Settings
import TestSupport
import Testing

@Suite struct SettingsFileTests {
  @Test(arguments: [
    ("cameras: {a: &x {}, b: *x}", 1, "found an alias or anchor of YAML"), ("a: 1\nb: *x", 2, "found an alias"),
    ("- &a [1]\n- *a", 1, "found an alias"), ("? *a\n: 1", 1, "found \"?\""), ("'a': *b", 1, "found an alias"),
    ("[a\n 'c, *x, d']", 1, "found an alias"), ("--- *x", 1, "found an alias"), ("{'a':*x}", 1, "found an alias"),
    ("log: !!str info", 1, "found a tag of YAML"), ("log: |\n  info", 1, "found a text of several lines"),
    ("log: >-\n  info", 1, "found a text of several lines"),
    ("log: \"in\n  fo\"", 1, "found a quote that is not closed"),
    ("log: 'info", 1, "found a quote that is not closed"),
    ("a: " + String(repeating: "[", count: 5000), 1, "brackets more than 16 deep"),
    ("a: " + String(repeating: "{a: ", count: 17), 1, "brackets more than 16 deep"),
  ])
  func whatNoSettingsFileNeedsIsRefused(yaml: String, line: Int, message: String) throws {
    let all = problems(yaml)
    let only = try #require(all.first)
    #expect(all.count == 1)
    // One of these has its alias on the second line of brackets.
    #expect(only.hasPrefix("q.yaml:\(yaml.hasPrefix("[a\n") ? 2 : line): \(message)"))
    #expect(only.contains("accepted: "))
  }

  @Test(arguments: [
    "a*b&c!d|e>f", "'*a & b'", "\"&a \\\" *b\"", "'it''s *x'", "a,*b,[c]{d}", "don't-*mind", "x#y*z&12",
  ])
  func signsOfYAMLInsideTextsAreTaken(written: String) throws {
    let settings = try load("store: \(written)  # *x &y 'z\n" + desk())
    guard case .folder(let path) = settings.store else {
      Issue.record("not a folder: \(settings.store)")
      return
    }
    #expect(path.contains("*"))
  }

  @Test(arguments: [
    ("a: b: c", 1), ("log: info\n\tdemo: true", 2), ("log: info\n}", 2), ("cameras: {desk: {", 1),
    ("log info\ndemo: true", 2),
    ("log: info\n---\nlog: debug", 2), ("log: info\n demo: true", 2), ("@", 1), ("%", 1), ("log: \"\\q\"", 1),
  ])
  func notYAML(yaml: String, line: Int) throws {
    let all = problems(yaml)
    let only = try #require(all.first)
    #expect(all.count == 1)
    #expect(only.hasPrefix("q.yaml:\(line): not "))
    #expect(only.hasSuffix("; accepted: a YAML file of KEY: VALUE lines"))
  }

  @Test func deepNestingEnds() {
    let dashes = String(repeating: "- ", count: 200_000)
    #expect(problems("cameras:\n  \(dashes)").count == 1)
    let below = String(repeating: "- ", count: 900)
    #expect(problems("cameras:\n  \(below)").count == 1)
  }

  @Test(arguments: [
    ("\u{0}", "0000"), ("\u{7}", "0007"), ("\u{85}", "0085"), ("\u{2028}", "2028"), ("\u{FFFD}", "FFFD"),
  ])
  func charactersThatNoFileHas(character: String, code: String) {
    #expect(
      problems("log: info\nstore: a\(character)b\n") == [
        "q.yaml:2: found the character U+\(code); accepted: a YAML file in UTF-8"
      ])
  }

  @Test func otherProblemsAreToldBesideABrokenFile() {
    #expect(problems("{", flags: ["crf": "99"]).count == 2)
  }

  @Test func filesOverAMebibyteAreRefused() throws {
    let room = SettingsFile.maxBytes - desk().utf8.count
    let padding = "#" + String(repeating: "x", count: room - 2) + "\n"
    #expect(try load(padding + desk()).cameras.count == 1)
    #expect(
      problems("#" + padding + desk()) == ["q.yaml:1: found a file of 1048577 bytes; accepted: at most 1048576"])
    let error = #expect(throws: SettingsError.self) {
      try SettingsFile.text(of: Array(repeating: 32, count: SettingsFile.maxBytes + 1), path: "q.yaml")
    }
    #expect(error?.description == "q.yaml:1: found a file of 1048577 bytes; accepted: at most 1048576")
  }

  @Test func bytesThatAreNotUTF8() throws {
    #expect(try SettingsFile.text(of: Array("log: ü".utf8), path: "q.yaml") == "log: ü")
    let error = #expect(throws: SettingsError.self) {
      try SettingsFile.text(of: Array("log: info\nstore: ".utf8) + [0xFC, 0x0A], path: "q.yaml")
    }
    #expect(error?.description == "q.yaml:2: found bytes that are not UTF-8; accepted: a YAML file in UTF-8")
  }

  @Test func anyBytesEndInProblems() {
    var random = SeededGenerator(seed: 1)
    let pieces = [
      "a", ":", " ", "\n", "-", "[", "]", "{", "}", ",", "'", "\"", "#", "?", "log", "cameras", "0.5", "\t", "%", "*x",
      "~",
    ]
    for _ in 0..<500 {
      let count = Int.random(in: 1...40, using: &random)
      let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      let all = problems(text)
      #expect(!all.isEmpty, "\(text.debugDescription)")
      // An alias must be seen before the parser sees it.
      #expect(!all.contains { $0.contains("undefined alias") }, "\(text.debugDescription)")
    }
  }
}
