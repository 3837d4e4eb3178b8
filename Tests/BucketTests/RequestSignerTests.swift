import Media
import Testing

@testable import Bucket

/// The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring
/// Payload in a Single Chunk", which are there as a test suite.
@Suite struct RequestSignerTests {
  private let signer = RequestSigner(
    key: AccessKey(id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1")
  private let time = "20130524T000000Z"
  private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  private func fields(_ hash: String, _ others: [(name: String, value: String)] = []) -> [(name: String, value: String)]
  {
    [("Host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", time), ("x-amz-content-sha256", hash)] + others
  }

  private func expect(_ request: RequestSigner.Request, names: String, signature: String) {
    #expect(
      signer.authorization(request, time: time)
        == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        + "SignedHeaders=\(names),Signature=\(signature)")
  }

  @Test func anObjectIsRead() {
    expect(
      .init(method: "GET", path: "/test.txt", fields: fields(empty, [("Range", "bytes=0-9 ")]), bodyHash: empty),
      names: "host;range;x-amz-content-sha256;x-amz-date",
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test func anObjectIsWritten() {
    let hash = RequestSigner.hash("Welcome to Amazon S3.".utf8)
    #expect(hash == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
    let more = [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")]
    expect(
      .init(
        method: "PUT", path: "/" + RequestSigner.encoded("test$file.text", keepsSlashes: true),
        fields: fields(hash, more.map { (name: $0.0, value: $0.1) }), bodyHash: hash),
      names: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
  }

  @Test func aQueryWithoutAValueIsSigned() {
    expect(
      .init(method: "GET", path: "/", query: [("lifecycle", "")], fields: fields(empty), bodyHash: empty),
      names: "host;x-amz-content-sha256;x-amz-date",
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
  }

  @Test func aListIsAskedForInWhateverOrder() {
    for query in [[("max-keys", "2"), ("prefix", "J")], [("prefix", "J"), ("max-keys", "2")]] {
      expect(
        .init(
          method: "GET", path: "", query: query.map { (name: $0.0, value: $0.1) }, fields: fields(empty),
          bodyHash: empty), names: "host;x-amz-content-sha256;x-amz-date",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }
  }

  @Test func theCanonicalFormIsThatOfTheExample() {
    let request = RequestSigner.Request(
      method: "GET", path: "/test.txt", fields: fields(empty, [("Range", "bytes=0-9 ")]), bodyHash: empty)
    #expect(
      RequestSigner.canonical(request) == """
        GET
        /test.txt

        host:examplebucket.s3.amazonaws.com
        range:bytes=0-9
        x-amz-content-sha256:\(empty)
        x-amz-date:20130524T000000Z

        host;range;x-amz-content-sha256;x-amz-date
        \(empty)
        """)
  }

  /// As the general test suite of Signature Version 4 has it: spaces inside become one, equal names go together in their
  /// order, queries are sorted by their encoded names.
  @Test func fieldsAndQueriesAreBroughtIntoTheirForm() {
    let request = RequestSigner.Request(
      method: "GET", path: "/", query: [("b", "2"), ("a", "ü/ +"), ("B", "~_.-"), ("a", "1")],
      fields: [("My-Header1", "value2"), ("My-Header2", "  \"a   b   c\" "), ("my-header1", "value1")], bodyHash: "x")
    #expect(
      RequestSigner.canonical(request) == """
        GET
        /
        B=~_.-&a=%C3%BC%2F%20%2B&a=1&b=2
        my-header1:value2,value1
        my-header2:"a b c"

        my-header1;my-header2
        x
        """)
  }

  @Test func timesAreThoseOfTheField() {
    #expect(RequestSigner.time(WallTime(milliseconds: 1_369_353_600_999)) == "20130524T000000Z")
  }

  @Test func keysAreReadAndNeverPrinted() {
    for text in ["AKID:se/cr+et==", "AKID se/cr+et==", "AKID:\n se/cr+et=="] {
      let key = AccessKey(text)
      #expect(key?.id == "AKID" && key?.secret == "se/cr+et==")
      var dumped = ""
      dump(key, to: &dumped)
      for printed in ["\(key!)", String(describing: key), String(reflecting: key), dumped] {
        #expect(!printed.contains("se/cr") && printed.contains("AKID"))
      }
    }
    for text in ["", ":", "AKID", "AKID:", ":secret", "a/b:secret", "AKID:two words"] {
      #expect(AccessKey(text) == nil)
    }
  }
}
