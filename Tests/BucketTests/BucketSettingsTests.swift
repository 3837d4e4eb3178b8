import Media
import NIOCore
import Testing

@testable import Bucket

@Suite struct BucketSettingsTests {
  private let key = AccessKey(id: "id", secret: "secret")

  @Test func placesAreReadAsTheyAreWritten() {
    for (text, name, prefix) in [
      ("s3://cams", "cams", ""), ("s3://cams/", "cams", ""), ("s3://my.cams-1/live/a_b", "my.cams-1", "live/a_b"),
      ("s3://abc/x/", "abc", "x"),
    ] {
      let place = BucketPlace(text)
      #expect(place?.name == name && place?.prefix == prefix, "\(text)")
    }
    for text in [
      "", "cams", "s3:/cams", "s3://", "s3://ab", "s3://Cams", "s3://-cams", "s3://cams-", "s3://a..b", "s3://cams//x",
      "s3://cams/../x", "s3://cams/a b", "s3://cams/\u{E4}", "s3://cams?x", "s3://" + String(repeating: "a", count: 64),
    ] {
      #expect(BucketPlace(text) == nil, "\(text)")
    }
    #expect(BucketPlace("s3://cams/a/b")?.key(camera: "desk", file: "x.mp4") == "a/b/desk/x.mp4")
    #expect(BucketPlace("s3://cams")?.key(camera: "desk", file: "x.mp4") == "desk/x.mp4")
  }

  @Test func endpointsAreReadAsTheyAreWritten() {
    for (text, host) in [
      ("https://s3.example.org", "s3.example.org"), ("https://s3.example.org:443/", "s3.example.org"),
      ("http://127.0.0.1:8333", "127.0.0.1:8333"), ("http://[::1]:80", "[::1]"), ("HTTP://a", nil),
      ("https://a:0", nil), ("https://a:x", nil), ("https://a/b", nil), ("https://u@a", nil), ("https://", nil),
      ("ftp://a", nil), ("https://a b", nil), ("http://[::1", nil),
    ] as [(String, String?)] {
      #expect(BucketEndpoint(text)?.host == host, "\(text)")
    }
  }

  @Test func bothStylesNameTheBucket() throws {
    let place = try #require(BucketPlace("s3://cams/live"))
    let amazon = try #require(BucketSettings(place: place, endpoint: nil, region: "eu-west-1", style: nil, key: key))
    #expect(amazon.host == "cams.s3.eu-west-1.amazonaws.com" && amazon.root == "/")
    #expect(amazon.path(ofKey: "live/desk/a$.mp4") == "/live/desk/a%24.mp4")
    #expect(amazon.address == "https://cams.s3.eu-west-1.amazonaws.com/live/")
    let own = try #require(
      BucketSettings(
        place: place, endpoint: BucketEndpoint("http://127.0.0.1:8333"), region: "x", style: nil, key: key))
    #expect(own.host == "127.0.0.1:8333" && own.root == "/cams" && own.path(ofKey: "a") == "/cams/a")
    #expect(own.address == "http://127.0.0.1:8333/cams/live/")
    let dotted = BucketSettings(
      place: try #require(BucketPlace("s3://my.cams")), endpoint: nil, region: "x", style: nil, key: key)
    #expect(dotted?.style == .path)
  }

  /// Answers of real servers, shortened.
  @Test func faultsSayWhatWasWrongWhereAndWhatToDo() throws {
    let place = try #require(BucketPlace("s3://cams/live"))
    let settings = try #require(
      BucketSettings(
        place: place, endpoint: BucketEndpoint("https://s3.example.org"),
        region: "us-east-1", style: nil, key: key))
    func fault(_ status: Int, _ body: String, region: String? = nil) -> BucketFault {
      .answer(
        status, body: ByteBuffer(string: body), region: region, serverTime: "Mon, 30 Nov 2026 00:00:00 GMT",
        settings: settings, now: WallTime(milliseconds: 0))
    }
    func error(_ code: String, _ rest: String = "") -> String {
      "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>Some &amp; words</Message>\(rest)</Error>"
    }
    let signature = fault(403, error("SignatureDoesNotMatch"))
    #expect(signature.kind == .refused && signature.description.contains("secret half of bucket-key"))
    #expect(signature.description.contains("403 SignatureDoesNotMatch (Some & words)"))
    let skewed = fault(403, error("RequestTimeTooSkewed")).description
    #expect(
      skewed.contains("Mon, 30 Nov 2026") && skewed.contains("1970-01-01")
        && skewed.contains("set this machine's clock"))
    let none = fault(404, error("NoSuchBucket"))
    #expect(none.kind == .refused && none.description.contains("no bucket cams at https://s3.example.org"))
    #expect(fault(404, error("NoSuchKey")).kind == .missing && fault(404, "").kind == .missing)
    let elsewhere = fault(301, error("PermanentRedirect"), region: "eu-central-1").description
    #expect(elsewhere.contains("in the region eu-central-1, not us-east-1; set bucket-region: eu-central-1"))
    let malformed = fault(400, error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>")).description
    #expect(malformed.contains("set bucket-region: eu-west-3"))
    #expect(fault(403, error("AccessDenied")).description.contains("s3:PutObject"))
    #expect(fault(403, error("InvalidAccessKeyId")).description.contains("bucket-key-file"))
    for status in [408, 429, 500, 503] { #expect(fault(status, "<html>busy</html>").kind == .away) }
    for body in ["", "<", "<Code>", "<Code>\n\u{1}x</Code>", String(repeating: "<Code", count: 9999)] {
      let words = fault(403, body).description
      #expect(words.utf8.count < 1000 && words.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "\(words)")
    }
    #expect(!"\(settings)".contains("secret"))
  }
}
