import Testing

@testable import Origin

@Suite struct RequestTargetTests {
  @Test(arguments: [
    ("/desk/%7E123.abc/", "/desk/~123.abc/"), ("/desk/index%2em3u8", "/desk/index.m3u8"), ("/%64%65sk/", "/desk/"),
    ("/desk%2Findex.m3u8", "/desk%2Findex.m3u8"), ("/desk/%2e%2e/", "/desk/../"), ("/%2564esk/", "/%2564esk/"),
    ("/%25%36%34esk/", "/%2564esk/"), ("/a%", "/a%"), ("/a%4", "/a%4"), ("/a%zz", "/a%zz"), ("/%C3%BC", "/%C3%BC"),
    ("/a%00", "/a%00"), ("/plain", "/plain"),
  ])
  func signsThatNeedNoEscapeAreReadOnce(sent: String, path: String) {
    #expect(RequestTarget(sent).path == path)
  }

  @Test func theQueryIsReadTheSameWay() {
    let target = RequestTarget("/desk/live.m3u8?_HLS%5Fmsn=1%30&token=a%2Bb%2541")
    #expect(target.path == "/desk/live.m3u8" && target.query == "_HLS_msn=10&token=a%2Bb%2541")
  }

  @Test(arguments: [
    ("//desk/", "/desk/"), ("/desk//index.m3u8", "/desk/index.m3u8"), ("//", "/"), ("///a///b", "/a/b"),
  ])
  func twoSlashesSideBySideAreSeen(sent: String, right: String) {
    #expect(RequestTarget(sent).withoutEmptySegments == right)
  }

  @Test func oneSlashIsAllRight() { #expect(RequestTarget("/desk/index.m3u8?a=//").withoutEmptySegments == nil) }
}
