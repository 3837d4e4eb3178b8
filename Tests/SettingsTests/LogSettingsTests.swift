import Settings
import Testing

@Suite struct LogSettingsTests {
  @Test(
    arguments: [
      ("info", .info, .text), ("error", .error, .text), ("text", .info, .text), ("json", .info, .json),
      ("json,debug", .debug, .json), ("debug,json", .debug, .json), ("warning, json", .warning, .json),
    ] as [(String, LogSettings.Level, LogSettings.Format)])
  func aLevelAFormatOrBothAreTaken(_ text: String, _ level: LogSettings.Level, _ format: LogSettings.Format) throws {
    let settings = try #require(LogSettings(text))
    #expect(settings.level == level && settings.format == format)
    #expect(LogSettings(settings.description) == settings)
  }

  @Test(arguments: ["", ",", "json,", "debug,info", "json,text", "json debug", "JSON", "loud", "json,loud"])
  func anythingElseIsNot(_ text: String) { #expect(LogSettings(text) == nil) }

  @Test func withoutASettingLinesAreForPeople() { #expect(LogSettings().description == "info") }
}
