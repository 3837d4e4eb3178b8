import HTTPTypes
import Media
import Testing

@testable import Origin

@Suite struct PublicRouteTests {
  private let desk = CameraName("desk")

  @Test func everyAddressOfTheTableIsRead() throws {
    let desk = try #require(desk)
    let table: [(Substring, PublicRoute)] = [
      ("/", .home), ("/healthz", .health), ("/readyz", .readiness), ("/_/player.js", .asset("player.js")),
      ("/desk", .withoutSlash(desk)), ("/desk/", .page(desk)), ("/desk/index.m3u8", .multivariant(desk)),
      ("/desk/live.m3u8", .media(desk)), ("/desk/latest.jpg", .latest(desk)), ("/desk/events", .events(desk)),
      ("/desk/wave", .wave(desk)), ("/desk/seen", .seen(desk)), ("/desk/812.3.mp4", .file(desk, "812.3.mp4")),
    ]
    for (path, route) in table { #expect(PublicRoute(path: path) == route) }
  }

  @Test(arguments: [
    "", "desk", "//", "//desk/", "/desk//", "/desk/../index.m3u8", "/desk/x/y.mp4", "/Desk/", "/desk/state.json",
    "/desk/index.m3u", "/%64esk/", "/desk/%2e%2e", "/desk/.mp4/", "/ingest/desk", "/status", "/metrics", "/_/a/b", "*",
    "http://127.0.0.1/", "/desk\u{0}/", "/healthz/",
  ])
  func whateverElseDoesNotExist(path: String) { #expect(PublicRoute(path: path[...]) == nil) }

  @Test func aWaveIsPostedAndAllElseIsFetched() throws {
    let desk = try #require(desk)
    #expect(PublicRoute.wave(desk).methods == [.post] && PublicRoute.seen(desk).methods == [.post])
    for route in [PublicRoute.home, .page(desk), .media(desk), .file(desk, "1.mp4"), .events(desk), .readiness] {
      #expect(route.methods == [.get, .head])
    }
  }

  @Test func theQueryIsNoPartOfThePath() {
    let target = RequestTarget("/desk/live.m3u8?_HLS_msn=1?&x=/")
    #expect(target.path == "/desk/live.m3u8" && target.query == "_HLS_msn=1?&x=/")
    #expect(RequestTarget("/desk/").query == "")
  }
}
