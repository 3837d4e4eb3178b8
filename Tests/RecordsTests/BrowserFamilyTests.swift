import Testing

@testable import Records

@Suite struct BrowserFamilyTests {
  private static let chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"

  @Test(arguments: [
    (chrome, BrowserFamily.chrome), (chrome + " Edg/130.0.0.0", .edge), (chrome + " OPR/115.0.0.0", .opera),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", .firefox),
    (
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
      .safari
    ),
    (
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0 Mobile/15E148 Safari/604.1",
      .safari
    ),
    ("AppleCoreMedia/1.0.0.22B83 (iPhone; U; CPU OS 18_1 like Mac OS X; en_us)", .safari),
    ("VLC/3.0.20 LibVLC/3.0.20", .player), ("Lavf/59.27.100", .player), ("SomethingNew/1.0", .other),
  ])
  func aBrowserIsOfItsFamily(agent: String, family: BrowserFamily) {
    #expect(BrowserFamily(userAgent: agent) == family)
  }

  @Test(arguments: [
    "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0", "Wget/1.21",
    "python-requests/2.31", "Slackbot-LinkExpanding 1.0", "facebookexternalhit/1.1", "Go-http-client/2.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/130.0.0.0 Safari/537.36",
    "UptimeRobot/2.0", "quietcam-check",
  ])
  func aProgramThatNobodyWatchesWithHasNone(agent: String) { #expect(BrowserFamily(userAgent: agent) == nil) }

  @Test func versionsAreNotKept() {
    #expect(
      BrowserFamily(userAgent: Self.chrome)
        == BrowserFamily(userAgent: Self.chrome.replacing("130", with: "7").replacing("Linux", with: "Windows")))
  }
}
