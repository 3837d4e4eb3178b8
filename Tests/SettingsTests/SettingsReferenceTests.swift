import Foundation
import Settings
import Testing

/// The tables of the handbook's `settings.md`. `make reference` writes them; otherwise the test compares.
@Suite struct SettingsReferenceTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/quietcam/Handbook.docc/settings.md").standardizedFileURL
  private static let (begin, end) = ("<!-- reference: begin -->\n", "<!-- reference: end -->\n")

  @Test func handbookListsEverySettingAsTheTableHasIt() throws {
    let page = try String(contentsOf: Self.file, encoding: .utf8)
    let begin = try #require(page.range(of: Self.begin))
    let end = try #require(page.range(of: Self.end))
    if ProcessInfo.processInfo.environment["QUIETCAM_TEST_WRITE_REFERENCE"] != nil {
      let written = page.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: Self.reference)
      try written.write(to: Self.file, atomically: true, encoding: .utf8)
    } else {
      #expect(page[begin.upperBound..<end.lowerBound] == Self.reference, "run `make reference`")
    }
  }

  @Test(arguments: ["settings.md", "cameras.md"])
  func examplesAreTaken(page name: String) throws {
    let file = Self.file.deletingLastPathComponent().appending(path: name)
    let parts = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "```yaml\n")
    let examples = parts.dropFirst().compactMap { $0.components(separatedBy: "\n```").first }
    #expect(!examples.isEmpty)
    for example in examples {
      // The digest is cut short there for people.
      let digest = "sha256:" + String(repeating: "0", count: 64)
      #expect(problems(example.replacing("sha256:a8b1...", with: digest)) == [])
    }
  }

  /// Both tables as Markdown.
  private static var reference: String {
    """
    ### The server

    At the top of the file.

    \(table(of: Setting.all.filter { !$0.isPerCamera }))

    ### Each camera

    Under `cameras: NAME:`, or (all but `token` and `token-file`) under `defaults:` for every camera.

    \(table(of: Setting.all.filter(\.isPerCamera)))

    """
  }

  private static func table(of settings: [Setting]) -> String {
    let rows = settings.map { setting in
      let place =
        setting.layers == [.file] ? " (file only)" : setting.layers.contains(.file) ? "" : " (not in the file)"
      let cells = [
        "`\(setting.key)`\(place)", cell(setting.help), cell(setting.accepted), cell(setting.defaultText),
      ]
      return "| \(cells.joined(separator: " | ")) |"
    }
    return (["| setting | what it does | accepted | default |", "|---|---|---|---|"] + rows).joined(separator: "\n")
  }

  /// Text for a cell of a table: no sign of it is Markdown's.
  private static func cell(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("*", with: "\\*").replacing("[", with: "\\[")
  }
}
