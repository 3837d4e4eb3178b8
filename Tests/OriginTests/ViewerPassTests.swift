import Access
import HTTPTypes
import Hummingbird
import Media
import Testing

@testable import Origin

@Suite struct ViewerPassTests {
  private let desk = CameraName("desk")!
  private let key = LinkKey(secret: "some-link-key-of-ours")
  private let now = WallTime(milliseconds: 1_790_000_000_000)
  private var link: ViewerLink { ViewerLink(camera: desk, expiry: 1_790_000_100, key: key) }

  private func verdict(
    _ path: String, _ access: ViewerAccess = .signed, key: LinkKey?? = .none, after seconds: Int64 = 0
  ) -> ViewerPass.Verdict {
    let time = WallTime(milliseconds: now.milliseconds + seconds * 1000)
    return ViewerPass(path: path[...]).verdict(for: desk, access: access, key: key ?? self.key, now: time)
  }

  @Test func theLinkIsTakenOutOfThePath() {
    for (path, rest) in [
      ("/desk/\(link)/", "/desk/"), ("/desk/\(link)", "/desk"), ("/desk/\(link)/live.m3u8", "/desk/live.m3u8"),
      ("/desk/\(link)/a/b", "/desk/a/b"),
    ] {
      let pass = ViewerPass(path: path[...])
      #expect(pass.link == link && pass.path == rest)
    }
    for path in ["/", "/desk/", "/desk/live.m3u8", "/\(link)/", "/desk/~1.2/", "/desk/x/\(link)/", "desk"] {
      let pass = ViewerPass(path: path[...])
      #expect(pass.link == nil && pass.path == path)
    }
  }

  @Test func onlyAGenuineLinkThatHasNotEndedOpensAPrivateCamera() {
    #expect(verdict("/desk/\(link)/") == .seen)
    #expect(verdict("/desk/\(link)/", after: 99) == .seen)
    #expect(verdict("/desk/\(link)/", after: 100) == .ended)
    #expect(verdict("/desk/") == .unknown)
    #expect(verdict("/desk/\(ViewerLink(camera: desk, expiry: 1_790_000_100, key: LinkKey(secret: "x")))/") == .unknown)
    // A forger is not even told that the time is over.
    #expect(verdict("/desk/\(ViewerLink(camera: desk, expiry: 1, key: LinkKey(secret: "x")))/") == .unknown)
    #expect(verdict("/desk/\(link)/", key: .some(nil)) == .unknown)
  }

  @Test func anOpenCameraHasNoLinks() {
    #expect(verdict("/desk/", .open) == .seen)
    #expect(verdict("/desk/\(link)/", .open) == .unknown)
  }

  @Test(arguments: [
    ("public, max-age=31536000, immutable", "public, max-age=100, immutable"),
    ("public, max-age=6", "public, max-age=6"),
    ("no-store", "no-store"), ("public, max-age=3600", "public, max-age=100"),
  ])
  func noCacheKeepsAnAnswerForLongerThanTheLink(header: String, limited: String) {
    let pass = ViewerPass(path: "/desk/\(link)/"[...])
    let response = pass.limiting(Response(status: .ok, headers: [.cacheControl: header]), now: now)
    #expect(response.headers[.cacheControl] == limited)
    #expect(ViewerPass(path: "/desk/").limiting(response, now: now).headers[.cacheControl] == limited)
  }
}
