import Packager
import Settings
import Testing

@Suite struct SettingTests {
  @Test func keysAreUniqueAndFitForFlags() {
    let keys = Setting.all.map(\.key)
    #expect(Set(keys).count == keys.count)
    #expect(keys.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "-" } })
  }

  @Test func everySettingTellsAllOfItself() {
    for setting in Setting.all {
      #expect(!setting.help.isEmpty && !setting.help.contains("\n") && !setting.help.hasSuffix("."))
      #expect(!setting.valueName.isEmpty && !setting.accepted.isEmpty && !setting.defaultText.isEmpty)
      #expect(!setting.layers.isEmpty)
    }
  }

  @Test func namesOfASetting() throws {
    let setting = try #require(Setting.named("max-kilobits"))
    #expect(setting.flag == "--max-kilobits")
    #expect(setting.variable == "QUIETCAM_MAX_KILOBITS")
    #expect(setting.isPerCamera)
    #expect(Setting.named("max_kilobits") == nil)
  }

  @Test(arguments: [
    ("public", "HOST:PORT", "127.0.0.1:8080"), ("private", "HOST:PORT", "127.0.0.1:8081"),
    ("store", "FOLDER|memory", "hls-out"), ("log", "LEVEL", "info"), ("demo", "true|false", "false"),
    ("size", "WIDTHxHEIGHT", "640x480"), ("fit", "contain|cover", "contain"), ("preset", "NAME", "slow"),
    ("part", "SECONDS", "2"), ("segment", "SECONDS", "30"), ("window", "NUMBER", "6"), ("rate", "NUMBER", "2"),
    ("masks", "LIST", "none"), ("max-still-bytes", "NUMBER", "16777216"), ("still-choice", "CHOICE", "first"),
  ])
  func helpShowsTheDefaultThatHolds(key: String, valueName: String, standard: String) throws {
    let setting = try #require(Setting.named(key))
    #expect(setting.valueName == valueName)
    #expect(setting.defaultText == standard)
  }

  @Test func shapesAreForTheFileOnly() {
    #expect(Setting.all.filter { $0.layers == [.file] }.map(\.key) == ["crop", "masks"])
    #expect(Setting.all.filter { !$0.layers.contains(.file) }.map(\.key) == ["camera"])
  }

  @Test func defaultsWrittenOutAreAccepted() {
    let flags = Setting.all.filter { $0.layers.contains(.flag) && !$0.defaultText.contains(" ") }
      .filter { $0.defaultText != "none" }
    #expect(flags.count >= 18)
    let texts = Dictionary(uniqueKeysWithValues: flags.map { ($0.key, $0.defaultText) })
    #expect(problems(desk(), flags: texts) == [])
  }
}

@Suite struct AddressTests {
  @Test(arguments: [
    ("127.0.0.1:8080", "127.0.0.1", 8080), ("0.0.0.0:0", "0.0.0.0", 0), ("localhost:65535", "localhost", 65_535),
    ("[::1]:8080", "::1", 8080), ("[::]:1", "::", 1),
    ("[2001:DB8::8:800:200C:417A]:80", "2001:db8::8:800:200c:417a", 80),
    ("[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", 80), ("[1:2:3:4:5:6:7:8]:9", "1:2:3:4:5:6:7:8", 9),
    ("My-Host.example.org:80", "my-host.example.org", 80),
  ])
  func read(text: String, host: String, port: Int) throws {
    let address = try #require(ListenAddress(text))
    #expect(address == ListenAddress(host: host, port: port))
    #expect(ListenAddress(address.description) == address)
  }

  @Test(arguments: [
    "", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
    "127.0.0.1:8o8o", "127.0.0.256:80", "127.0.1:80", "1.2.3.4.5:80", "01.2.3.4:80", "::1:8080", "[::1]", "[]:80",
    "[:::]:80", "[1::2::3]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[::12345]:80", "[::g]:80",
    "[fe80::1%eth0]:80", "-a:80", "a-:80", "a..b:80", "a b:80", "http://a:80", "127.0.0.1:８０", "127.0.0.1:000080",
  ])
  func refused(text: String) {
    #expect(ListenAddress(text) == nil)
  }
}
