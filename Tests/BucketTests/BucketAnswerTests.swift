import NIOCore
import TestSupport
import Testing

@testable import Bucket

@Suite struct BucketAnswerTests {
  private static let list = """
    <?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>cams</Name><KeyCount>2</KeyCount>
    <IsTruncated>true</IsTruncated><NextContinuationToken>a&#x2F;b==</NextContinuationToken>
    <Contents><Key>desk/p1.mp4</Key><LastModified>x</LastModified><Size>120</Size></Contents>
    <Contents xmlns="y"><Size> 7</Size><Key>desk/&lt;a&gt; &amp;&quot;&apos; &#228; &nope; &</Key></Contents>
    <Contents><Size>7</Size></Contents></ListBucketResult>
    """

  @Test func listsAreRead() {
    let answer = BucketAnswer(ByteBuffer(string: Self.list))
    #expect(answer.objects.map(\.key) == ["desk/p1.mp4", "desk/<a> &\"' \u{E4} &nope; &"])
    #expect(answer.objects.map(\.bytes) == [120, 0])
    #expect(answer.continuation == "a/b==")
    #expect(answer.first("Name") == "cams" && answer.first("KeyCoun") == nil && answer.first("Code") == nil)
  }

  @Test func lastPagesHaveNoContinuation() {
    for text in [
      "", "<IsTruncated>false</IsTruncated><NextContinuationToken>x</NextContinuationToken>", "<IsTruncated>",
    ] {
      #expect(BucketAnswer(ByteBuffer(string: text)).continuation == nil)
    }
  }

  @Test func tooMuchIsNotRead() {
    let long = "<Code>" + String(repeating: "a", count: 5000) + "</Code><Code>short</Code>"
    #expect(BucketAnswer(ByteBuffer(string: long)).first("Code") == "short")
    let far = String(repeating: " ", count: BucketAnswer.mostBytes) + "<Code>x</Code>"
    #expect(BucketAnswer(ByteBuffer(string: far)).first("Code") == nil)
  }

  /// Whatever a server says, reading ends and gives no more than there was.
  @Test func damagedAnswersAreRead() {
    var random = SeededGenerator(seed: 16)
    let pieces = [
      "<", ">", "</", "<Contents>", "</Contents>", "<Key>", "</Key>", "<Size>", "</Size>", "&amp;", "&#", ";",
      "&#x110000;",
      "12", "\u{0}", "\u{E4}", "<IsTruncated>true</IsTruncated>", "<NextContinuationToken>", "</NextContinuationToken>",
    ]
    for _ in 0..<3000 {
      var bytes = Array(Self.list.utf8)
      if Bool.random(using: &random) {
        bytes = (0..<Int.random(in: 0...40, using: &random)).flatMap { _ in
          Array(pieces.randomElement(using: &random)!.utf8)
        }
      } else {
        for _ in 0..<Int.random(in: 1...8, using: &random) {
          let place = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0...2, using: &random) {
          case 0: bytes[place] = .random(in: 0...255, using: &random)
          case 1: bytes.removeSubrange(place...)
          default: bytes.insert(contentsOf: pieces.randomElement(using: &random)!.utf8, at: place)
          }
          if bytes.isEmpty { bytes = [60] }
        }
      }
      let answer = BucketAnswer(ByteBuffer(bytes: bytes))
      let read = answer.objects.reduce(0) { $0 + $1.key.utf8.count }
      // A byte that is no UTF-8 becomes a sign of three.
      #expect(read <= 3 * bytes.count && answer.objects.allSatisfy { $0.bytes >= 0 })
      _ = (answer.continuation, answer.first("Code"))
    }
  }
}
