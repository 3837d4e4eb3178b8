import Media
import Origin
import Settings
import Station
import Testing

/// What a process does with settings that it reads while it runs.
@Suite struct SettingsChangeTests {
  private func change(_ before: String, _ after: String, flags: [String: String] = [:]) throws -> SettingsChange {
    let tokens = ProcessTokens()
    func load(_ text: String) throws -> ServeSettings {
      try ServeSettings.load(file: ("q.yaml", text), environment: [:], flags: flags, tokens: tokens) { _ in "" }
    }
    let start = try load(before)
    return SettingsChange(from: start, to: try load(after), start: start)
  }

  private func cameras(_ lines: String..., top: String = "") -> String {
    top + "cameras:\n" + lines.map { "  \($0)\n" }.joined()
  }

  @Test func camerasComeGoAndChange() throws {
    let change = try change(
      cameras("a: {token: aaaaaaaa}", "b: {token: bbbbbbbb}", "c: {token: cccccccc}", "d: {token: dddddddd}"),
      cameras(
        "e: {token: eeeeeeee}", "a: {token: aaaaaaaa}", "c: {token: cccccccc, size: 320x240}", "d: {token: other-token}"
      ))
    #expect(change.added.map(\.name.text) == ["e"])
    #expect(change.removed.map(\.text) == ["b"])
    #expect(change.changed.map(\.name.text) == ["c"])
    #expect(change.changedDoors.map(\.text) == ["d"])
    #expect(change.keys.isEmpty && change.waiting.isEmpty && !change.isEmpty)
    #expect(change.settings.cameras.map(\.name.text) == ["e", "a", "c", "d"])
  }

  @Test func theSameIsNoChange() throws {
    // A camera with a folder and no token gets one that nobody knows, which is no change either.
    let text = cameras("a: {folder: /tmp/a}", top: "demo: true\n")
    #expect(try change(text, text).isEmpty)
  }

  @Test func whatNeedsARestartStaysAsItIs() throws {
    let change = try change(
      cameras("a: {token: aaaaaaaa}"),
      cameras(
        "a: {token: aaaaaaaa}",
        top: "public: 127.0.0.1:9000\nstore: memory\nlog: error\npatience: 9\nsite-title: Mine\nupload-megabytes: 9\n"
          + "remember-megabytes: 9\n"))
    #expect(change.waiting == ["public", "store", "log", "upload-megabytes", "remember-megabytes", "patience"])
    #expect(change.keys == ["site-title"])
    #expect(change.settings.publicAddress.port == 8080)
    #expect(change.settings.site.title == "Mine")
    #expect(change.settings.store == .folder("hls-out"))
  }

  @Test func theDemoCameraStaysUntilARestart() throws {
    let off = try change(cameras("a: {token: aaaaaaaa}", top: "demo: true\n"), cameras("a: {token: aaaaaaaa}"))
    #expect(off.waiting == ["demo"] && off.removed.isEmpty)
    #expect(off.settings.cameras.contains { $0.name.text == "demo" })
    let on = try change(cameras("a: {token: aaaaaaaa}"), cameras("a: {token: aaaaaaaa}", top: "demo: true\n"))
    #expect(on.waiting == ["demo"] && on.added.isEmpty)
  }
}
