import Media
import NIOCore
import TestSupport
import Testing

@testable import Ingest

/// Bodies that are not as the specifications have them, as real cameras and programs send them.
@Suite struct LenientBodyTests {
  private let still = Pictures.tiny()
  private let other = Pictures.tiny([9, 9, 9])
  private let label = "multipart/x-mixed-replace;boundary=x"

  private func stream(_ before: String, _ after: String, times: Int = 2) -> [UInt8] {
    (0..<times).flatMap { Array(before.utf8) + ($0 == 0 ? still : other) + Array(after.utf8) }
  }

  private func expectBoth(_ body: [UInt8], type: String?) {
    #expect(findings(in: body, type: type, isOpenEnded: true).findings == [picture(still), picture(other)])
    // How it is cut makes no difference.
    let cuts = Array(0..<body.count)
    #expect(findings(in: body, type: type, isOpenEnded: true, cuts: cuts).findings == [picture(still), picture(other)])
  }

  // Streams

  @Test(arguments: [
    ("--x\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"),
    // No line break before the delimiter, or behind it.
    ("--x\r\nContent-Type: image/jpeg\r\n\r\n", ""), ("--xContent-Type: image/jpeg\r\n\r\n", "\r\n"),
    // No hyphens.
    ("x\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"), ("xContent-Type: image/jpeg\r\n\r\n", ""),
    // More of them than there should be.
    ("----x\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"),
    // Any type of image, with parameters or none, and none at all.
    ("--x\r\nContent-Type: image/jpg\r\n\r\n", "\r\n"), ("--x\r\nContent-Type: image/pjpeg; q=50\r\n\r\n", "\r\n"),
    ("--x\r\ncontent-type : \"image/jpeg\"\r\n\r\n", "\r\n"), ("--x\r\n\r\n", "\r\n"), ("--x\n\n", "\n"),
    // The head comes first, and its picture counts.
    ("Content-Type: image/jpeg\r\nContent-Length: 17\r\n\r\n", "\r\n--x\r\n"),
    ("Content-Type: image/jpeg\r\n\r\n", "\r\n"),
    // A part that is text, with and without a line break before the delimiter.
    (
      "--x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi\r\n--x\r\nContent-Type: image/jpeg\r\n\r\n",
      "\r\n"
    ),
    ("--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\n\r\n", ""),
    // A status line in a part, before its head or behind it.
    ("--x\r\nHTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"),
    ("--x\r\nContent-Type: image/jpeg\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"),
    // One empty line too many.
    ("--x\r\nContent-Type: image/jpeg\r\n\r\n\r\n", "\r\n"),
    // Nothing but pictures and line breaks.
    ("\r\n", "\r\n"),
    // Another delimiter than the label says.
    ("--another\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"),
  ])
  func aStreamIsReadHoweverItsPartsAreDivided(_ before: String, _ after: String) {
    expectBoth(stream(before, after), type: label)
    expectBoth(Array("Welcome to the camera\r\nof today\r\n".utf8) + stream(before, after), type: label)
    expectBoth(stream(before, after), type: "multipart/x-mixed-replace; boundary=--x")
    expectBoth(stream(before, after), type: "multipart/x-mixed-replace")
    expectBoth(stream(before, after), type: "image/jpeg")
  }

  @Test func aStatusLineBeforeAStreamIsPassedOver() {
    let head = "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=x\r\n\r\n"
    expectBoth(Array(head.utf8) + stream("--x\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n"), type: nil)
  }

  @Test func aPictureThatBreaksOffInAStreamCostsNoneOfTheNext() {
    let cut = Array(still.dropLast(2))
    for delimiter in ["\r\n--x\r\n\r\n", "x\r\n\r\n", ""] {
      let body = Array("--x\r\n\r\n".utf8) + cut + Array(delimiter.utf8) + other
      let found = findings(in: body, type: label, isOpenEnded: true).findings
      #expect(found.count == 2 && found.last == picture(other), "\(delimiter)")
    }
  }

  @Test func aStreamWithoutDelimitersGoesOnBehindATooLargePicture() {
    let large = Pictures.tiny(Array(repeating: 1, count: 90))
    let body = Array("Content-Type: image/jpeg\r\n\r\n".utf8) + large + Array("\r\n".utf8) + other
    #expect(findings(in: body, type: nil, isOpenEnded: true, limit: 60).findings == [.oversized, picture(other)])
  }

  // Text

  private func expectStill(_ text: String, type: String?) {
    let body = Array(text.utf8)
    #expect(findings(in: body, type: type).findings == [picture(still)], "\(text)")
    #expect(findings(in: body, type: type, cuts: Array(0..<body.count)).findings == [picture(still)], "\(text)")
  }

  @Test(arguments: [nil, "text/plain", "application/octet-stream", "image/jpeg", "application/x-www-form-urlencoded"])
  func base64AndDataURLsAreTaken(_ type: String?) {
    let text = SampleBody.base64(still)
    expectStill(text, type: type)
    expectStill("\r\n\(text.prefix(8))\r\n\(text.dropFirst(8))\r\n", type: type)
    expectStill("data:image/jpeg;base64,\(text)", type: type)
    expectStill("data:image/jpeg;charset=utf-8;base64,\(text)\n", type: type)
  }

  @Test func base64InAFormIsTaken() {
    let text = SampleBody.base64(still)
    func escaped(_ text: String) -> String {
      text.replacing("/", with: "%2F").replacing("+", with: "%2b").replacing("=", with: "%3D")
        .replacing(":", with: "%3A").replacing(";", with: "%3B").replacing(",", with: "%2C")
    }
    for type in ["application/x-www-form-urlencoded", nil, "text/plain"] {
      expectStill("camera=desk&image=\(text)", type: type)
      expectStill("image=\(escaped(text))&camera=desk", type: type)
      expectStill("image=\(escaped("data:image/jpeg;base64," + text))", type: type)
    }
    func part(_ head: String, _ content: String) -> String {
      "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\(head)\r\n\(content)\r\n"
    }
    for content in [text, "data:image/jpeg;base64,\(text)", "\(text.prefix(8))\r\n\(text.dropFirst(8))\r\n"] {
      for head in ["", "Content-Transfer-Encoding: base64\r\n"] {
        let body = part("", "hello") + part(head, content) + "--b--\r\n"
        expectStill(body, type: "multipart/form-data; boundary=b")
      }
      let mail = part("Content-Transfer-Encoding: base64\r\n", content) + "--b--\r\n"
      expectStill(mail, type: "multipart/mixed; boundary=b")
    }
  }

  @Test func jsonBehindAByteOrderMarkIsTaken() {
    expectStill("\u{FEFF}{\"image\":\"\(SampleBody.base64(still))\"}", type: "application/json")
  }

  @Test func textWithoutAPictureSaysWhatItHolds() {
    #expect(findings(in: Array("a=b&c=d".utf8)).summary.contains("none of the 2 fields"))
    #expect(findings(in: Array("data:text/plain,hello".utf8)).summary.contains("not the base64 of a JPEG"))
    #expect(findings(in: Array("<!DOCTYPE html><p class=\"a\">".utf8)).summary.contains("begins with 3C"))
    guard case .malformed? = findings(in: Array("/9j/4AA!AAAA".utf8)).findings.first else {
      Issue.record("damaged base64 was taken")
      return
    }
  }

  // Which of several

  @Test(arguments: [
    ("first", 0), ("last", 2), ("largest", 1), ("field:scene", 1), ("field:plate", 0), ("field:nothing", 0),
  ])
  func oneOfSeveralPicturesIsChosen(_ choice: String, _ index: Int) throws {
    let pictures = [Pictures.tiny([1]), Pictures.tiny([2, 2, 2, 2]), Pictures.tiny([3, 3])]
    let names = ["plate", "scene", "face"]
    let form = zip(names, pictures).flatMap { name, picture in
      Array("--b\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n".utf8) + picture + Array("\r\n".utf8)
    }
    let texts = zip(names, pictures).map { ($0, SampleBody.base64($1)) }
    let json = "{" + texts.map { "\"\($0)\": \"\($1)\"" }.joined(separator: ", ") + "}"
    let fields = texts.map { "\($0)=\($1)" }.joined(separator: "&")
    let bodies: [(String, [UInt8])] = [
      ("multipart/form-data; boundary=b", form + Array("--b--\r\n".utf8)), ("application/json", Array(json.utf8)),
      ("application/x-www-form-urlencoded", Array(fields.utf8)),
    ]
    for (type, body) in bodies {
      var reader = BodyReader(
        label: BodyLabel(contentType: type, isOpenEnded: false), maxStillBytes: 1000,
        choice: try #require(StillChoice(choice)))
      var found: [BodyItem] = []
      for byte in body { found += reader.read(ByteBuffer(bytes: [byte])) }
      #expect(reader.heldBytes <= 2000)
      #expect(found + reader.finish() == [picture(pictures[index])], "\(type)")
    }
  }

  @Test(arguments: ["first", "last", "largest", "field:a b"])
  func choicesAreWrittenAsTheyAreRead(_ text: String) { #expect(StillChoice(text)?.description == text) }

  @Test(arguments: ["", "second", "field:", "First"])
  func otherChoicesAreNone(_ text: String) { #expect(StillChoice(text) == nil) }
}
