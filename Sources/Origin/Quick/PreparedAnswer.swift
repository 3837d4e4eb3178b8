import Access
import Glibc
import HTTPTypes
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHPACK
import Records

/// An answer as it is sent, made once for all who ask for the same; only its date is written anew each second.
final class PreparedAnswer: Sendable {
  /// A longer body is not copied behind its head.
  private static let longest = 128 << 10
  /// The bytes of the value of the date and of the empty line.
  private static let date = "Sun, 29 Nov 2026 22:50:00 GMT\r\n\r\n".utf8.count

  /// What it counts as.
  struct Counting: Sendable {
    let camera: CameraName
    /// The kind of its bytes.
    let kind: AnswerKind
    /// The kind of its time.
    let times: AnswerTimes.Kind
    /// Whether it is the playlist without parts, which is made only for as long as somebody asks for it.
    let isPlain: Bool
    /// In how many seconds at most a player comes back who got it; `nil` for what is no playlist.
    let pause: Int64?
  }

  /// The bytes that are sent: the head, and the body behind it or by itself.
  struct Bytes: Sendable {
    let first: ByteBuffer
    let rest: ByteBuffer?
  }

  /// What is sent.
  let answer: WholeAnswer
  let counting: Counting
  /// The number of the door that made the answer; another one makes its own.
  let maker: Int
  /// How many bytes HTTP/1.1 sends.
  let count: Int
  private let head: ByteBuffer
  private let dated: NIOLockedValueBox<(second: time_t, bytes: Bytes)>
  private let packed: NIOLockedValueBox<(second: time_t, headers: HPACKHeaders)>

  init(_ answer: WholeAnswer, _ counting: Counting, maker: Int) {
    self.answer = answer
    self.counting = counting
    self.maker = maker
    head = Self.head(of: answer)
    count = head.readableBytes + Self.date + answer.body.readableBytes
    dated = NIOLockedValueBox((-1, Bytes(first: ByteBuffer(), rest: nil)))
    packed = NIOLockedValueBox((-1, HPACKHeaders()))
  }

  /// How many bytes it holds that nothing else holds: its head also as HTTP/2 takes it.
  var ownBytes: Int {
    head.readableBytes + (answer.body.readableBytes <= Self.longest ? count : count - answer.body.readableBytes)
  }

  /// The bytes in a second since 1970.
  func bytes(at second: time_t) -> Bytes {
    dated.withLockedValue { dated in
      if dated.second != second { dated = (second, written(at: second)) }
      return dated.bytes
    }
  }

  /// The head for HTTP/2 in a second since 1970.
  func headers(at second: time_t) -> HPACKHeaders {
    packed.withLockedValue { packed in
      if packed.second != second { packed = (second, listed(at: second)) }
      return packed.headers
    }
  }

  private func listed(at second: time_t) -> HPACKHeaders {
    var headers = Self.headers(answer.status, answer.fields)
    headers.add(name: "date", value: HTTPDate.text(at: second))
    return headers
  }

  /// The head of an answer for HTTP/2, with these fields alone.
  static func headers(_ status: HTTPResponse.Status, _ fields: HTTPFields) -> HPACKHeaders {
    var headers = HPACKHeaders()
    headers.reserveCapacity(fields.count + 2)
    headers.add(name: ":status", value: "\(status.code)")
    for field in fields {
      // A length is hardly ever the same again, and would push out of the client's table what is.
      headers.add(
        name: field.name.canonicalName, value: field.value,
        indexing: field.name == .contentLength ? .nonIndexable : .indexable)
    }
    return headers
  }

  private func written(at second: time_t) -> Bytes {
    let body = answer.body
    let isOne = body.readableBytes <= Self.longest
    var bytes = ByteBufferAllocator().buffer(
      capacity: head.readableBytes + Self.date + (isOne ? body.readableBytes : 0))
    bytes.writeImmutableBuffer(head)
    bytes.writeString(HTTPDate.text(at: second))
    bytes.writeStaticString("\r\n\r\n")
    if isOne { bytes.writeImmutableBuffer(body) }
    return Bytes(first: bytes, rest: isOne ? nil : body)
  }

  /// The head up to the date, as the encoder behind Hummingbird writes it.
  private static func head(of answer: WholeAnswer) -> ByteBuffer {
    var head = start(answer.status, answer.fields)
    head.writeStaticString("Date: ")
    return head
  }

  /// The head of an answer whose length is not known.
  static func chunkedHead(_ fields: HTTPFields) -> ByteBuffer {
    var head = start(.ok, fields)
    head.writeStaticString("transfer-encoding: chunked\r\n\r\n")
    return head
  }

  private static func start(_ status: HTTPResponse.Status, _ fields: HTTPFields) -> ByteBuffer {
    var head = ByteBufferAllocator().buffer(capacity: 1024)
    head.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n")
    for field in fields { head.writeString("\(field.name.rawName): \(field.value)\r\n") }
    return head
  }
}
