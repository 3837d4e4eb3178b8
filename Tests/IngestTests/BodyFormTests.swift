import NIOCore
import TestSupport
import Testing

@testable import Ingest

/// Every form of body that cameras send.
@Suite struct BodyFormTests {
  private let still = Pictures.tiny()
  private let other = Pictures.tiny([9, 9])

  private func form(_ parts: [(head: String, content: [UInt8])], boundary: String = "b") -> [UInt8] {
    parts.flatMap { Array("--\(boundary)\r\n\($0.head)\r\n".utf8) + $0.content + Array("\r\n".utf8) }
      + Array("--\(boundary)--\r\n".utf8)
  }

  @Test(arguments: [
    nil, "image/jpeg", "image/jpg", "application/octet-stream", "text/html", "multipart/form-data; boundary=b",
    "application/json", "nonsense",
  ])
  func aRawBodyIsAStillUnderEveryLabel(type: String?) {
    #expect(findings(in: still, type: type).findings == [picture(still)])
  }

  @Test func aRawBodyOfKnownLengthIsOneStillWhateverFollows() {
    #expect(findings(in: still + other).findings == [picture(still)])
    #expect(findings(in: still + [0, 0, 0xFF, 0xD9]).findings == [picture(still)])
  }

  @Test func picturesBehindEachOtherInAnOpenBodyAreAllTaken() {
    let body = still + other + [0x0D, 0x0A] + still + [0, 0]
    #expect(findings(in: body, isOpenEnded: true).findings == [picture(still), picture(other), picture(still)])
  }

  @Test func aPictureThatBreaksOffInAnOpenBodyCostsNoneOfTheNext() {
    let cut = Array(still.dropLast(2))
    #expect(findings(in: cut + other, isOpenEnded: true).findings == [picture(cut), picture(other)])
    #expect(findings(in: cut + other).findings == [picture(cut + other)])
  }

  @Test func thePreviewBehindAMultiPictureIsNotTaken() {
    let multi = [0xFF, 0xD8, 0xFF, 0xE2, 0, 8] + Array("MPF\0".utf8) + [1, 1] + still.dropFirst(2)
    #expect(findings(in: multi + other, isOpenEnded: true).findings == [picture(multi)])
  }

  @Test func whatFollowsAPictureAndIsNoneIsPassedOver() {
    #expect(findings(in: still + [7] + other, isOpenEnded: true).findings == [picture(still)])
  }

  @Test(arguments: [
    ("b", "multipart/form-data; boundary=b"), ("b", "multipart/form-data; boundary=\"b\""),
    ("b", "Multipart/Form-Data;BOUNDARY=b; charset=utf-8"), ("b c", "multipart/form-data; boundary=\"b c\""),
    ("----WebKit7", "multipart/form-data; boundary=----WebKit7"), ("b", "multipart/form-data"),
    ("b", "multipart/form-data; boundary=another"), ("b", "multipart/form-data; boundary=--b"), ("b", nil),
    ("b", "image/jpeg"),
  ])
  func aFormIsReadHoweverItsBoundaryIsTold(boundary: String, type: String?) {
    let body = form(
      [("Content-Disposition: form-data; name=\"imageFile\"\r\nContent-Type: image/jpeg\r\n", still)],
      boundary: boundary)
    if boundary.contains(" ") {
      // Only the label can tell a boundary with a space from text.
      #expect(findings(in: Array("preamble\r\n".utf8) + body, type: type).findings == [picture(still)])
    } else {
      #expect(findings(in: body, type: type).findings == [picture(still)])
    }
  }

  @Test func theFirstPictureOfAFormIsTheStill() {
    let body = form([
      (
        "Content-Disposition: form-data; name=\"xml\"\r\nContent-Type: application/xml\r\n", Array("<a>\r\n--</a>".utf8)
      ),
      ("Content-Disposition: form-data; name=\"time\"\r\n", Array("12:00".utf8)), ("", []),
      ("Content-Disposition: form-data; name=anything\r\n", still),
      ("Content-Disposition: form-data; name=second\r\n", other),
    ])
    let type = "multipart/form-data; boundary=b"
    #expect(findings(in: body, type: type).findings == [picture(still)])
    let text = Array("preamble --b\r\n".utf8)
    #expect(findings(in: text + body + text, type: type).findings == [picture(still)])
  }

  @Test func partsMayLackHeadersEmptyLinesAndCarriageReturns() {
    let type = "multipart/form-data; boundary=b"
    for head in ["--b\r\n\r\n", "--b\r\n", "--b\n\n", "--b\nContent-Type: image/jpeg\n\n", "--b  \r\n\r\n"] {
      #expect(findings(in: Array(head.utf8) + still, type: type).findings == [picture(still)], "\(head)")
    }
  }

  @Test func aLineThatOnlyBeginsLikeTheDelimiterEndsNoPart() {
    let inside = Pictures.tiny(Array("\r\n--bb\r\n--b-\r\n-b\r\r\n--".utf8))
    #expect(findings(in: form([("", inside)]), type: "multipart/form-data; boundary=b").findings == [picture(inside)])
  }

  @Test func aPictureThatThePartCutsIsHandedOnAsItIs() {
    let cut = Array(still.dropLast(2))
    let body = form([("", cut), ("", other)])
    #expect(findings(in: body, type: "multipart/form-data; boundary=b").findings == [picture(cut)])
    #expect(
      findings(in: body, type: "multipart/x-mixed-replace; boundary=b").findings == [picture(cut), picture(other)])
  }

  @Test func aFormWithoutAPictureSaysWhatItHolds() {
    let body = form([
      ("Content-Disposition: form-data; name=\"a\u{7}b\"\r\nContent-Type: text/plain\r\n", Array("hi".utf8)),
      ("", []), ("", [1]), ("", [1]), ("", [1]),
    ])
    let (found, summary) = findings(in: body, type: "multipart/form-data; boundary=b")
    #expect(found.isEmpty)
    #expect(summary.contains("\"a?b\" (text/plain), begins with 68"))
    #expect(summary.contains("a part without a name, empty"))
    #expect(summary.contains("and 1 more"))
  }

  @Test func aMultipartBodyWithoutItsDelimiterIsMalformed() {
    let (found, _) = findings(in: Array("hello".utf8), type: "multipart/form-data; boundary=b")
    guard case .malformed(let detail)? = found.first else {
      Issue.record("\(found)")
      return
    }
    #expect(detail.contains("\"--b\""))
  }

  @Test func aPartHeaderWithoutEndIsMalformed() {
    let body = Array("--b\r\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 20_000)
    guard case .malformed? = findings(in: body, limit: 100_000).findings.last else {
      Issue.record("taken")
      return
    }
  }

  @Test func eachPictureOfAStreamIsFoundBeforeAnythingFollowsIt() {
    var reader = BodyReader(label: BodyLabel(contentType: nil, isOpenEnded: true), maxStillBytes: 1000)
    for (index, still) in [still, other, still].enumerated() {
      let head = index % 2 == 0 ? "Content-Length: \(still.count)\r\n" : ""
      #expect(reader.read(ByteBuffer(string: "--s\r\nContent-Type: image/jpeg\r\n\(head)\r\n")).isEmpty)
      #expect(reader.read(ByteBuffer(bytes: still)) == [picture(still)])
      #expect(reader.read(ByteBuffer(string: "\r\n")).isEmpty)
    }
    #expect(reader.isStream)
    #expect(reader.finish().isEmpty)
  }

  @Test func damagedBase64EndsAStreamHoweverItIsCut() {
    let head = Array("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n/9j/4".utf8)
    let body = head + [0] + Array("\r\n--b\r\n\r\n".utf8) + Pictures.tiny() + Array("\r\n--b--\r\n".utf8)
    let type = "multipart/x-mixed-replace; boundary=b"
    let whole = findings(in: body, type: type, isOpenEnded: true).findings
    #expect(whole.count == 1)
    if case .malformed = whole.first {} else { Issue.record("\(whole)") }
    for cut in 1..<body.count {
      #expect(findings(in: body, type: type, isOpenEnded: true, cuts: [cut]).findings == whole, "cut at \(cut)")
    }
  }

  @Test func aStreamGoesOnBehindATooLargePicture() {
    let large = Pictures.tiny(Array(repeating: 1, count: 90))
    let body = form([("", still), ("", large), ("", other)])
    #expect(findings(in: body, limit: 100).findings == [picture(still), .oversized, picture(other)])
  }

  @Test func moreThanAPictureOfWhatIsNoneEndsTheReading() {
    let junk = Array(repeating: UInt8(ascii: "x"), count: 101)
    #expect(findings(in: junk, limit: 100).findings == [.overflow])
    #expect(findings(in: Array(junk.dropLast()), limit: 100).findings == [])
    #expect(findings(in: still + junk, limit: 100).findings == [picture(still), .overflow])
    #expect(findings(in: form([("", junk), ("", still)]), limit: 100).findings == [.overflow])
    #expect(findings(in: Array("[".utf8) + Array(repeating: 0x20, count: 4000), limit: 100).findings == [.overflow])
  }

  @Test(arguments: [
    "{\"image\": \"%\"}", "{\"a\":{\"b\":[1,\"x\",\"\\\"\",\"%\"]}}", "[\"%\"]", "\r\n {\"%\":1}",
    "{\"i\":\"data:image/jpeg;base64,%\"}", "{\"i\":\"data:image\\/jpeg;base64,%\",\"k\":\"%\"}",
    "{\"data\":\"data: none\",\"i\":\"%\"}",
  ])
  func theFirstPictureInJSONIsTheStill(template: String) {
    let text = template.split(separator: "%", omittingEmptySubsequences: false).joined(
      separator: SampleBody.base64(still))
    #expect(findings(in: Array(text.utf8), type: "application/json").findings == [picture(still)])
    #expect(findings(in: Array(text.utf8), type: nil).findings == [picture(still)])
  }

  @Test func base64IsReadHoweverItIsWritten() {
    let still = Pictures.tiny([0xFF, 0x00, 0xFB, 0xEF, 0xBE, 0xFF, 0x00])
    let plain = SampleBody.base64(still)
    let spelled = [
      plain.replacing("/", with: "\\/"), plain.replacing("/", with: "\\u002f").replacing("+", with: "\\u002B"),
      plain.replacing("/", with: "_").replacing("+", with: "-"), plain.replacing("=", with: ""),
      String(plain.prefix(20)) + "\\r\\n" + plain.dropFirst(20) + "\\n",
    ]
    for text in spelled {
      #expect(findings(in: Array("{\"i\":\"\(text)\"}".utf8)).findings == [picture(still)], "\(text)")
    }
  }

  @Test func damagedJSONIsToldFromJSONWithoutAPicture() {
    let text = SampleBody.base64(still)
    #expect(findings(in: Array("{\"error\":\"camera busy\"}".utf8)).findings.isEmpty)
    #expect(findings(in: Array("{\"error\":\"camera busy\"}".utf8)).summary.contains("2 strings"))
    for damaged in ["{\"i\":\"\(text.prefix(12))!\(text.dropFirst(12))\"}", "{\"i\": \"abc"] {
      guard case .malformed? = findings(in: Array(damaged.utf8)).findings.last else {
        Issue.record("\(damaged)")
        continue
      }
    }
    let cut = Array(still.prefix(12))
    #expect(findings(in: Array("{\"i\":\"\(SampleBody.base64(cut))".utf8)).findings == [picture(cut)])
  }

  @Test func anEmptyBodyHoldsNothing() {
    #expect(findings(in: []).findings.isEmpty)
    #expect(findings(in: []).summary.contains("empty"))
  }
}
