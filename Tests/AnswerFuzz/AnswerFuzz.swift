import Bucket
import Foundation
import Ingest
import Media
import NIOCore

// Holds that no bytes of a camera's answer crash its readers, make them keep too much, or mean something else when they
// come in other pieces, and that no answer of a bucket crashes its reader or becomes more than it is.
//
// `make fuzz` builds it with `--sanitize fuzzer -Xswiftc -DLIBFUZZER`: then libFuzzer makes the bytes and its options are
// this program's. Built as usual it reads the files that it is given, such as those that libFuzzer leaves.

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  func tryOne(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    hold(ByteBuffer(bytes: UnsafeRawBufferPointer(start: bytes, count: length)))
    return 0
  }
#else
  @main struct AnswerFuzz {
    static func main() throws {
      for name in CommandLine.arguments.dropFirst() {
        hold(ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: name))))
      }
    }
  }
#endif

/// The largest picture that is taken, in bytes.
private let largest = 400

/// What an answer turned out to be.
private struct Outcome: Equatable {
  var head: AnswerHead?
  var body = ByteBuffer()
  var findings: [BodyItem] = []
}

/// Ends the program where the readers break what they promise.
private func hold(_ bytes: ByteBuffer) {
  holdBucket(bytes)
  // The first byte says how the rest is cut, and the way of the body past the head is tried too.
  var rest = bytes
  guard let step = rest.readInteger(as: UInt8.self).map(Int.init) else { return }
  let whole = read(rest, inPiecesOf: .max)
  precondition(whole == read(rest, inPiecesOf: step + 1), "pieces of \(step + 1) mean something else")
  for type in [nil, "multipart/x-mixed-replace;boundary=b", "multipart/form-data;boundary=b"] {
    let label = BodyLabel(contentType: type, isOpenEnded: step & 1 == 0)
    let whole = findings(in: rest, label, inPiecesOf: .max)
    precondition(whole == findings(in: rest, label, inPiecesOf: step + 1), "a body in pieces means something else")
  }
}

private let settings: BucketSettings? =
  BucketPlace("s3://cams").flatMap { place in
    BucketSettings(
      place: place, endpoint: nil, region: "eu-central-1", style: nil, key: AccessKey(id: "id", secret: "secret"))
  }

/// Ends the program where an answer becomes a message that a log cannot have.
private func holdFault(_ bytes: ByteBuffer, status: Int) {
  guard let settings else { preconditionFailure("no settings") }
  let text = String(buffer: bytes)
  let fault = BucketFault.answer(
    status, body: bytes, region: text, serverTime: text, settings: settings, now: WallTime(milliseconds: 0))
  precondition(fault.description.unicodeScalars.count < 1500, "a message of \(fault.description.utf8.count) bytes")
  precondition(
    fault.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "control characters")
}

private func holdBucket(_ bytes: ByteBuffer) {
  let statuses = [301, 400, 403, 404, 429, 500, 503]
  holdFault(bytes, status: statuses[Int(bytes.readableBytesView.first ?? 0) % statuses.count])
  let answer = BucketAnswer(bytes)
  for object in answer.objects {
    // An entity is longer than the character that it stands for; a byte that is no UTF-8 becomes a sign of three.
    precondition(object.key.utf8.count <= 3 * bytes.readableBytes, "a key of \(object.key.utf8.count) bytes")
    precondition(object.bytes >= 0, "\(object.bytes) bytes")
  }
  for value in [answer.continuation, answer.first("Code"), answer.first("Message")].compactMap({ $0 }) {
    precondition(value.utf8.count <= 3 * bytes.readableBytes, "a value of \(value.utf8.count) bytes")
  }
}

private func read(_ bytes: ByteBuffer, inPiecesOf size: Int) -> Outcome {
  var (rest, reader, outcome) = (bytes, AnswerReader(), Outcome())
  func take(_ events: [AnswerReader.Event]) {
    for event in events {
      switch event {
      case .head(let head):
        precondition(outcome.head == nil, "two heads")
        outcome.head = head
      case .body(let body): outcome.body.writeImmutableBuffer(body)
      case .end: break
      case .malformed(let words): precondition(!words.isEmpty, "no words")
      }
    }
  }
  while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
    take(reader.read(piece))
    precondition(reader.heldBytes <= 16_384, "\(reader.heldBytes) bytes are kept of an answer")
  }
  take(reader.finish())
  let label = BodyLabel(contentType: outcome.head?.first("content-type"), isOpenEnded: true)
  outcome.findings = findings(in: outcome.body, label, inPiecesOf: size)
  return outcome
}

private func findings(in bytes: ByteBuffer, _ label: BodyLabel, inPiecesOf size: Int) -> [BodyItem] {
  var (rest, found) = (bytes, [BodyItem]())
  var reader = BodyReader(label: label, maxStillBytes: largest)
  while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
    found += reader.read(piece)
    precondition(reader.heldBytes <= 2 * largest + 17_000, "\(reader.heldBytes) bytes are kept of a body")
  }
  found += reader.finish()
  precondition(!reader.summary.isEmpty, "no summary")
  for case .picture(let picture) in found { precondition(picture.readableBytes <= largest, "too large") }
  return found
}
