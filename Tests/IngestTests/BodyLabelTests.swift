import Testing

@testable import Ingest

@Suite struct BodyLabelTests {
  @Test(arguments: [
    ("multipart/form-data; boundary=abc", "multipart/form-data", "abc"),
    ("multipart/form-data;boundary=\"a;b\\\"c\"", "multipart/form-data", "a;b\"c"),
    ("  MULTIPART/Mixed ; x=1; Boundary = abc ", "multipart/mixed", "abc"),
    ("multipart/form-data; boundary=", "multipart/form-data", nil), ("multipart/form-data", "multipart/form-data", nil),
    ("image/jpeg; boundary=abc", "image/jpeg", nil), ("", "", nil), (";;=;boundary", "", nil),
    ("multipart/x-mixed-replace;boundary=\"unfinished", "multipart/x-mixed-replace", "unfinished"),
  ])
  func aContentTypeIsReadInAnySpelling(header: String, type: String, boundary: String?) {
    let label = BodyLabel(contentType: header, isOpenEnded: false)
    #expect(label.type == type)
    #expect(label.boundary == boundary)
  }

  @Test func aLabelAllowsWhatItsFormNeeds() {
    func most(_ type: String?) -> Int? { BodyLabel(contentType: type, isOpenEnded: false).mostBytes(stillBytes: 3000) }
    #expect(most(nil) == 3000)
    #expect(most("image/jpeg") == 3000)
    #expect(most("application/json") == 4000 + 1 << 20)
    #expect(most("multipart/form-data; boundary=b") == 4000 + 1 << 20)
    #expect(most("text/plain") == 4000 + 1 << 20)
    #expect(most("application/x-www-form-urlencoded") ?? 0 > 4000 + 1 << 20)
    #expect(most("multipart/x-mixed-replace; boundary=b") == nil)
  }
}
