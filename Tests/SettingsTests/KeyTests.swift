import Settings
import Testing

/// The keys of the table at the places where a file may have them, in their order.
private let cameraKeys = keys { $0.isPerCamera }
private let topKeys = keys { !$0.isPerCamera } + ", defaults, cameras"

private func keys(where condition: (Setting) -> Bool) -> String {
  Setting.all.filter { $0.layers.contains(.file) && condition($0) }.map(\.key).joined(separator: ", ")
}

@Suite struct KeyTests {
  @Test(arguments: [
    ("siz", "size"), ("Size", "size"), ("max_kilobits", "max-kilobits"), ("kilobits", "max-kilobits"),
    ("mask", "masks"), ("grey", "gray"), ("segments", "segment"), ("latest-qualtiy", "latest-quality"),
    ("tokenfile", "token-file"), ("presett", "preset"),
  ])
  func unknownKeyOfACamera(written: String, meant: String) {
    #expect(
      problems(desk("\(written): 1")) == [
        "q.yaml:4: cameras.desk.\(written): unknown key; did you mean \(meant)?; accepted here: \(cameraKeys)"
      ])
  }

  @Test(arguments: [
    ("camera", "cameras"), ("default", "defaults"), ("pubic", "public"), ("operator_token", "operator-token"),
  ])
  func unknownKeyAtTheTop(written: String, meant: String) {
    #expect(
      problems("\(written): 1\n" + desk()) == [
        "q.yaml:1: \(written): unknown key; did you mean \(meant)?; accepted here: \(topKeys)"
      ])
  }

  @Test func unknownKeyThatIsNearNone() {
    for written in ["zzzzzzzz", "xy", String(repeating: "size", count: 100)] {
      #expect(
        problems("\(written): 1\n" + desk()) == ["q.yaml:1: \(written): unknown key; accepted here: \(topKeys)"])
    }
  }

  @Test func keysThatCannotBeShown() {
    let yaml = "\"a\\n\\eb\": 1\n'': 2\n" + desk()
    #expect(
      problems(yaml) == [
        #"q.yaml:1: found the key "a\n\u{1B}b"; accepted: KEY: VALUE"#,
        #"q.yaml:2: found the key ""; accepted: KEY: VALUE"#,
      ])
  }

  @Test func keyInTheWrongPlace() {
    #expect(
      problems("size: 640x480\n" + desk()) == [
        "q.yaml:1: size: unknown key; it belongs to a camera, under cameras: NAME:, or under defaults:; "
          + "accepted here: \(topKeys)"
      ])
    #expect(
      problems(desk("log: info")) == [
        "q.yaml:4: cameras.desk.log: unknown key; it belongs at the top of the file, not indented; "
          + "accepted here: \(cameraKeys)"
      ])
    #expect(
      problems("defaults:\n  token: s3cret-token\n" + desk()) == [
        "q.yaml:2: defaults.token: unknown key; each camera has its own, under cameras: NAME:; accepted here: "
          + cameraKeys.replacing("token, token-file, ", with: "")
      ])
  }

  @Test func unknownVariablesAndFlags() throws {
    let known = Setting.all.filter { $0.layers.contains(.environment) }
    let variables = (known.map(\.variable) + ["QUIETCAM_CONFIG"]).joined(separator: ", ")
    let flags = (known.map(\.flag) + ["--config"]).joined(separator: ", ")
    #expect(
      problems(
        desk(), environment: ["QUIETCAM_SIZ": "1", "QUIETCAM_CONFG": "1", "QUIETCAM_size": "1", "QUIETCAM_QQQQQQ": ""])
        == [
          "QUIETCAM_CONFG: no such setting; did you mean QUIETCAM_CONFIG?; known: \(variables)",
          "QUIETCAM_QQQQQQ: no such setting; known: \(variables)",
          "QUIETCAM_SIZ: no such setting; did you mean QUIETCAM_SIZE?; known: \(variables)",
          "QUIETCAM_size: no such setting; did you mean QUIETCAM_SIZE?; known: \(variables)",
        ])
    #expect(
      problems(desk(), flags: ["max-kilobit": "1"]) == [
        "--max-kilobit: no such setting; did you mean --max-kilobits?; known: \(flags)"
      ])
  }

  @Test func shapesOutsideTheFile() {
    #expect(
      problems(desk(), environment: ["QUIETCAM_CROP": "1"], flags: ["masks": "1"]) == [
        "QUIETCAM_CROP: taken from the file only; write crop: {x: X, y: Y, width: W, height: H} there, "
          + "under cameras: NAME:",
        "--masks: taken from the file only; write masks: LIST there, under cameras: NAME:",
      ])
  }

  @Test func namesOfCameras() {
    let rule =
      "1 to 40 of a-z, 0-9 and '-', not beginning with '-', and none of cameras, healthz, ingest, metrics, oembed, operator-token, readyz, sample, status"
    for name in ["Desk", "-a", "a_b", "metrics", "../up", String(repeating: "a", count: 41)] {
      #expect(
        problems("cameras:\n  '\(name)': {token: s3cret-token, crf: 99}\n") == [
          "q.yaml:2: cameras.\(name).crf: found \"99\"; accepted: a whole number from 0 to 51",
          "q.yaml:2: cameras.\(name): found the name \"\(name)\"; accepted: \(rule)",
        ])
    }
  }

  @Test func duplicates() {
    let twice = "given twice side by side; keep one"
    #expect(problems("log: info\n" + desk() + "log: debug\n") == ["q.yaml:1: log: \(twice)"])
    #expect(problems(desk("crf: 20", "blur: 1", "crf: 20")) == ["q.yaml:4: crf: \(twice)"])
    #expect(problems(desk() + "  desk: {token: other-token}\n") == ["q.yaml:2: desk: \(twice)"])
    #expect(
      problems(desk("crf: 20", "'crf': 21")).allSatisfy { $0.contains("crf: given twice") })
    #expect(problems(desk("crf: 20", "'crf': 21")).count == 1)
  }
}
