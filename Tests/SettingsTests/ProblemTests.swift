import Settings
import Station
import Testing

private let sizes = "two even numbers from 32 to 4096 around an x, such as 640x480"
private let secrets =
  "8 to 256 letters, digits and signs of ASCII without spaces, or sha256: and 64 digits as `quietcam token` prints"
private let addresses =
  "HOST:PORT with an IPv6 host in brackets and port 0 for any free one, such as 127.0.0.1:8080 or [::1]:0"

@Suite struct ProblemTests {
  @Test func theSameValueIsRefusedAlikeInEveryLayer() {
    let message = #"found "640"; accepted: \#(sizes)"#
    #expect(problems(desk("size: 640")) == ["q.yaml:4: cameras.desk.size: \(message)"])
    #expect(problems("defaults:\n  size: 640\n" + desk()) == ["q.yaml:2: defaults.size: \(message)"])
    #expect(problems(desk(), environment: ["QUIETCAM_SIZE": "640"]) == ["QUIETCAM_SIZE: \(message)"])
    #expect(problems(desk(), flags: ["size": "640"]) == ["--size: \(message)"])
  }

  @Test(arguments: [
    ("public", "8080", addresses), ("private", "127.0.0.1:65536", addresses),
    ("store", "", "the path of a folder, or memory to keep nothing on disk"),
    ("log", "warn", "one of trace, debug, info, notice, warning, error, or json, or both such as json,debug"),
    ("demo", "yes", "true or false"),
    (
      "camera", "Desk",
      "1 to 40 of a-z, 0-9 and '-', not beginning with '-', and none of cameras, healthz, ingest, metrics, oembed, operator-token, readyz, sample, status"
    ),
    ("size", "641x480", sizes), ("size", "640x30", sizes), ("size", "4098x480", sizes), ("size", "-640x480", sizes),
    ("fit", "stretch", "contain or cover"), ("gray", "1", "true or false"),
    ("blur", "101", "a whole number from 0 to 100 pixels of the stream"),
    ("denoise", "-1", "a whole number from 0 to 30"), ("denoise", "31", "a whole number from 0 to 30"),
    ("max-pixels", "1e6", "a whole number from 1024 to 400000000"),
    ("preset", "placebo", "one of ultrafast, superfast, veryfast, faster, fast, medium, slow, slower, veryslow"),
    ("crf", "52", "a whole number from 0 to 51"), ("crf", "28.5", "a whole number from 0 to 51"),
    ("references", "17", "a whole number from 1 to 16 pictures"),
    ("max-kilobits", "0", "a whole number from 10 to 100000"),
    ("rate", "two", "pictures a second, one of 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 25, 30"),
    ("part", "1d", "0.2 to 6 seconds in whole picture intervals, such as 2, 0.5 or 500ms"),
    ("part", "0.000001", "0.2 to 6 seconds in whole picture intervals, such as 2, 0.5 or 500ms"),
    ("segment", "ms", "1 to 60 whole seconds in whole parts, such as 2, 0.5 or 500ms"),
    ("plain-segment", "x", "1 to 10 whole seconds, such as 2, 0.5 or 500ms"),
    ("window", "six", "6 to 100 segments"), ("latest-quality", "0", "a whole number from 1 to 100"),
    ("latest-quality", "101", "a whole number from 1 to 100"),
    ("max-still-bytes", "16M", "a whole number from 1024 to 268435456 bytes"),
    ("still-choice", "second", "first, last, largest, or field:NAME with the name of a form's field or a JSON key"),
    ("interval", "0", "0.1 to 3600 seconds, such as 2, 0.5, 500ms or 10m"),
    ("interval", "3601", "0.1 to 3600 seconds, such as 2, 0.5, 500ms or 10m"),
    ("token-file", "", "the path of a file"),
  ])
  func textOutOfRange(key: String, text: String, accepted: String) {
    #expect(problems(desk(), flags: [key: text]) == [#"--\#(key): found "\#(text)"; accepted: \#(accepted)"#])
  }

  @Test func hoursSayWhatIsWrongInThem() {
    let accepted =
      "accepted: always, or times and where they hold, such as \"mon-fri 08:00-18:00 Europe/Berlin\", "
      + "\"sat,sun 10:00-12:00, 13:00-16:00 Europe/Paris\", \"22:00-06:00 America/New_York\" or "
      + "\"sunrise-30m to sunset+1h at 52.52,13.40\""
    for (text, reason) in [
      ("08:00-18:00", "times of the clock and days of the week need a time zone; add one, such as Europe/Berlin"),
      (
        "08:00-18:00 europe/berln",
        "\"europe/berln\" is no time zone; write a name of the tz database, such as Europe/Berlin, or UTC "
          + "(did you mean Europe/Berlin?)"
      ),
    ] {
      let found = "found \"\(text)\": \(reason); \(accepted)"
      #expect(problems(desk("hours: \(text)")) == ["q.yaml:4: cameras.desk.hours: \(found)"])
      #expect(problems(desk(), flags: ["hours": text]) == ["--hours: \(found)"])
    }
    #expect(problems(desk("hours: [8, 18]")).first?.contains(accepted) == true)
    #expect(problems(desk("hours: always")) == [])
  }

  @Test func stillsAreShownAtOnceWhereNothingHoldsThemBack() throws {
    let folder = "folder: /srv/desk"
    #expect(try load(desk(folder)).camera("desk").showsAtOnce)
    #expect(try !load(desk()).camera("desk").showsAtOnce)
    #expect(try !load(desk(folder, "at-once: false")).camera("desk").showsAtOnce)
    for (line, key) in [("delay: 10", "delay"), ("veil-every: 600..3600", "veil-every")] {
      #expect(try !load(desk(folder, line)).camera("desk").showsAtOnce)
      #expect(
        problems(desk(line, "at-once: true")) == [
          "q.yaml:5: cameras.desk.at-once: found true with \(key); accepted: one of them"
        ])
    }
  }

  @Test(arguments: ["token", "operator-token"]) func secretsAreNotShown(key: String) {
    for secret in ["short", "with a space", "pässwörter", String(repeating: "x", count: 257)] {
      let found = "found a text of \(secret.count) characters; accepted: \(secrets)"
      #expect(problems(desk(), flags: [key: secret]) == ["--\(key): \(found)"])
    }
  }

  @Test(arguments: [
    (rate: "7", part: "1", segment: "12", key: "rate", "7 pictures a second; accepted: 1 to 30 that divide 90000"),
    ("31", "1", "12", "rate", "31 pictures a second; accepted: 1 to 30 that divide 90000"),
    ("2", "0.1", "12", "part", "0.1 s; accepted: 0.2 to 6 seconds in whole picture intervals of 0.5 s"),
    ("2", "0.75", "12", "part", "0.75 s; accepted: 0.2 to 6 seconds in whole picture intervals of 0.5 s"),
    (
      "2", "1", "61", "segment",
      "61 s; accepted: 1 to 60 whole seconds that are a whole number of parts of 1 s"
    ),
    ("1", "1", "1", "segment", "1 s at 1 pictures a second is one picture; accepted: two or more"),
  ])
  func timelineRules(rate: String, part: String, segment: String, key: String, message: String) {
    let flags = ["rate": rate, "part": part, "segment": segment]
    #expect(problems(desk(), flags: flags) == ["--\(key): found \(message)"])
    let yaml = desk("rate: \(rate)", "part: \(part)", "segment: \(segment)")
    let line = ["rate": 4, "part": 5, "segment": 6][key] ?? 0
    #expect(problems(yaml) == ["q.yaml:\(line): cameras.desk.\(key): found \(message)"])
  }

  @Test func timelineRuleThatADefaultBreaksStandsAtWhatWasGiven() {
    #expect(
      problems(desk("part: 4")) == [
        "q.yaml:4: cameras.desk.segment: found the default 30 s; "
          + "accepted: 1 to 60 whole seconds that are a whole number of parts of 4 s"
      ])
    #expect(
      problems(desk(), flags: ["window": "5"]) == ["--window: found 5 segments; accepted: 6 to 100"])
    #expect(
      problems(desk("plain-segment: 1.5")) == [
        "q.yaml:4: cameras.desk.plain-segment: found 1.5 s; accepted: 1 to 10 whole seconds"
      ])
  }

  @Test func timelineIsNotJudgedByAValueThatWasRefused() {
    #expect(
      problems(desk("part: 5", "segment: long")) == [
        #"q.yaml:5: cameras.desk.segment: found "long"; accepted: 1 to 60 whole seconds in whole parts, "#
          + "such as 2, 0.5 or 500ms"
      ])
  }

  @Test func problemOfAllCamerasIsToldOnce() {
    let yaml = "defaults: {rate: 7}\n" + desk() + "  roof: {token: other-token}\n"
    let message = "found 7 pictures a second; accepted: 1 to 30 that divide 90000"
    #expect(problems(yaml) == ["q.yaml:1: defaults.rate: \(message)"])
  }

  @Test func wrongTypes() {
    #expect(problems(desk("size: [640, 480]")) == ["q.yaml:4: cameras.desk.size: found a list; accepted: \(sizes)"])
    #expect(
      problems(desk("size:", "  width: 640")) == ["q.yaml:5: cameras.desk.size: found a mapping; accepted: \(sizes)"])
    #expect(problems(desk("size:")) == ["q.yaml:4: cameras.desk.size: found nothing; accepted: \(sizes)"])
    #expect(problems(desk("size: ~", "crf: 1")) == ["q.yaml:4: cameras.desk.size: found nothing; accepted: \(sizes)"])
    #expect(problems("cameras: [desk]") == ["q.yaml:1: cameras: found a list; accepted: KEY: VALUE lines"])
    #expect(
      problems("cameras:\n  desk: secret", flags: ["demo": "true"]) == [
        #"q.yaml:2: cameras.desk: found "secret"; accepted: KEY: VALUE lines"#,
        "q.yaml:2: cameras.desk.token: found nothing; make one with `quietcam token` and write token: SECRET "
          + "or token-file: FILE under it; accepted: \(secrets)",
      ])
    #expect(problems("defaults: 5\n" + desk()) == [#"q.yaml:1: defaults: found "5"; accepted: KEY: VALUE lines"#])
    #expect(problems("- a\n- b") == ["q.yaml:1: found a list; accepted: KEY: VALUE lines"])
    #expect(problems("just words") == [#"q.yaml:1: found "just words"; accepted: KEY: VALUE lines"#])
  }

  @Test func cameraWithoutToken() {
    let make = "found nothing; make one with `quietcam token` and"
    #expect(
      problems("cameras:\n  desk:\n  roof: {crf: 1}") == [
        "q.yaml:2: cameras.desk.token: \(make) write token: SECRET or token-file: FILE under it; accepted: \(secrets)",
        "q.yaml:3: cameras.roof.token: \(make) write token: SECRET or token-file: FILE under it; accepted: \(secrets)",
      ])
    #expect(
      problems(flags: ["camera": "desk"]) == [
        "--camera: cameras.desk.token: \(make) give --token SECRET or --token-file FILE with it; accepted: \(secrets)"
      ])
  }

  @Test func tokenFiles() {
    let yaml = "cameras:\n  desk:\n    token-file: a.txt\n"
    #expect(
      problems(yaml) == [
        #"q.yaml:3: cameras.desk.token-file: found "a.txt", which cannot be read (no such file); "#
          + "accepted: the path of a file"
      ])
    #expect(
      problems(yaml, files: ["a.txt": " \n"]) == [
        "q.yaml:3: cameras.desk.token-file: found a text of 0 characters; accepted: \(secrets)"
      ])
    #expect(
      problems(desk("token-file: a.txt"), files: ["a.txt": "from-a-file"]) == [
        "q.yaml:4: cameras.desk.token-file: token is given too, at q.yaml:3; accepted: one of token and token-file"
      ])
    #expect(
      problems(desk(), flags: ["token": "12345678", "token-file": "a.txt"], files: ["a.txt": "from-a-file"]) == [
        "--token-file: token is given too, at --token; accepted: one of token and token-file"
      ])
  }

  @Test(arguments: ["", "\n", "# only a comment\n", "---\n", "{}", "cameras:\n", "log: info"])
  func noCamera(yaml: String) {
    let advice =
      "no camera is configured; give --camera NAME --token SECRET for one, --config FILE with cameras: in it for "
      + "several, --demo to try"
    #expect(problems(yaml) == ["q.yaml:1: cameras: \(advice)"])
    #expect(problems() == ["--camera: cameras: \(advice)"])
    #expect(problems(flags: ["token": "s3cret-token"]) == ["--camera: cameras: \(advice)"])
  }

  @Test func sameAddressTwice() {
    let yaml = "public: 127.0.0.1:9000\nprivate: 127.0.0.1:9000\n" + desk()
    #expect(
      problems(yaml) == [
        "q.yaml:2: private: found 127.0.0.1:9000, which public has too (q.yaml:1); accepted: another port or host "
          + "for each"
      ])
    #expect(
      problems(desk(), environment: ["QUIETCAM_PUBLIC": "127.0.0.1:8081"]) == [
        "QUIETCAM_PUBLIC: found 127.0.0.1:8081, which private has too (default); accepted: another port or host for each"
      ])
    #expect(problems(desk(), flags: ["public": "127.0.0.1:0", "private": "127.0.0.1:0"]) == [])
    #expect(problems(desk(), flags: ["public": "[::1]:80", "private": "127.0.0.1:80"]) == [])
  }

  @Test func allProblemsAreToldTogether() throws {
    let error = #expect(throws: SettingsError.self) {
      try load(
        "log: loud\n" + desk("crf: 99"), environment: ["QUIETCAM_BLUR": "x"], flags: ["denoise": "x", "fit": "x"])
    }
    #expect(
      error?.description == """
        q.yaml:1: log: found "loud"; accepted: one of trace, debug, info, notice, warning, error, or json, or both such as json,debug
        q.yaml:5: cameras.desk.crf: found "99"; accepted: a whole number from 0 to 51
        QUIETCAM_BLUR: found "x"; accepted: a whole number from 0 to 100 pixels of the stream
        --denoise: found "x"; accepted: a whole number from 0 to 30
        --fit: found "x"; accepted: contain or cover
        """)
    let first = try #require(error?.problems.first)
    #expect(first.place == "q.yaml:1")
    #expect(first.key == "log")
    #expect(first.message.hasPrefix(#"found "loud"; accepted: one of trace, debug, info, notice, warning, error"#))
  }

  @Test func longAndStrangeTextsAreCutAndEscaped() {
    let long = String(repeating: "9", count: 5000)
    let shown = String(repeating: "9", count: 60)
    #expect(
      problems(desk(), flags: ["crf": long]) == [#"--crf: found "\#(shown)"...; accepted: a whole number from 0 to 51"#]
    )
    #expect(
      problems(desk(), flags: ["crf": "1\n\u{1B}[31m"]) == [
        #"--crf: found "1\n\u{1B}[31m"; accepted: a whole number from 0 to 51"#
      ])
  }
}
