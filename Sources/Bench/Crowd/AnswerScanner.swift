import NIOCore

/// Reads the answers of one HTTP/1.1 connection as bytes come (RFC 9112), with as little work as a crowd of viewers on
/// one machine needs.
///
/// It knows answers with a length, also of HTTP/1.0, chunked ones, and those without a body. Other answers are mistakes.
struct AnswerScanner: Sendable {
  /// A complete answer.
  struct Answer: Sendable {
    /// The status.
    var status = 0
    /// The next segment's address that `Link` names.
    var next: String?
    /// How the body is compressed.
    var coding = WireCoding.none
    /// Whether the server closes the connection after it.
    var closes = false
    /// The body.
    var body = ByteBuffer()
  }

  /// Why an answer cannot be read.
  struct Mistake: Error, Hashable, CustomStringConvertible {
    let description: String
  }

  private enum State {
    case head
    /// So many bytes of the body are missing.
    case body(Int)
    /// Before a chunk's size, in a chunk, and after one.
    case chunkSize, chunk(Int), chunkEnd
    /// After the last chunk.
    case trailer
  }

  private static let mostHead = 16_384
  private static let mostBody = 64 << 20

  private var rest = ByteBuffer()
  private var state = State.head
  private var answer = Answer()

  /// The bytes of an answer's body that have come so far; 0 between two answers.
  var bodyBytes: Int { answer.body.readableBytes }

  /// Takes the bytes of the answer that is coming, as far as they are there, for an answer that goes on and on.
  mutating func takeBody() -> ByteBuffer {
    defer { answer.body = ByteBuffer() }
    return answer.body
  }

  /// Whether it is between two answers.
  var isIdle: Bool { if case .head = state { rest.readableBytes == 0 } else { false } }

  /// Takes the next bytes.
  ///
  /// - Returns: the answers that they complete.
  /// - Throws: `Mistake`, and then nothing more can be read.
  mutating func take(_ bytes: inout ByteBuffer) throws(Mistake) -> [Answer] {
    if rest.readableBytes == 0 { rest = bytes } else { rest.writeBuffer(&bytes) }
    var answers: [Answer] = []
    while try step() {
      answers.append(answer)
      answer = Answer()
      state = .head
    }
    if rest.readableBytes == 0 { rest.clear() } else { rest.discardReadBytes() }
    return answers
  }

  /// Reads on; `true` when an answer is complete, `false` when more bytes are needed.
  private mutating func step() throws(Mistake) -> Bool {
    while true {
      switch state {
      case .head:
        guard let head = try line(endingIn: "\r\n\r\n") else { return false }
        let length = try read(head: head)
        guard let length else {
          state = .chunkSize
          continue
        }
        if length == 0 { return true }
        state = .body(length)
      case .body(let missing):
        let missing = move(missing)
        state = .body(missing)
        return missing == 0
      case .chunkSize:
        guard let text = try line(endingIn: "\r\n") else { return false }
        guard let size = Int(text.prefix { $0 != ";" && $0 != " " }, radix: 16), size >= 0, size <= Self.mostBody else {
          throw Mistake(description: "a chunk has the size \(text.prefix(20))")
        }
        state = size == 0 ? .trailer : .chunk(size)
      case .chunk(let missing):
        let missing = move(missing)
        state = missing == 0 ? .chunkEnd : .chunk(missing)
        if missing > 0 { return false }
      case .chunkEnd:
        guard let text = try line(endingIn: "\r\n") else { return false }
        guard text.isEmpty else { throw Mistake(description: "a chunk is longer than it says") }
        state = .chunkSize
      case .trailer:
        guard let text = try line(endingIn: "\r\n") else { return false }
        if text.isEmpty { return true }
      }
    }
  }

  /// Moves up to so many bytes to the body, and returns how many are still missing.
  private mutating func move(_ missing: Int) -> Int {
    let count = min(missing, rest.readableBytes)
    if count > 0, var piece = rest.readSlice(length: count) {
      if answer.body.readableBytes == 0 { answer.body = piece } else { answer.body.writeBuffer(&piece) }
    }
    return missing - count
  }

  private mutating func line(endingIn end: StaticString) throws(Mistake) -> String? {
    let view = rest.readableBytesView
    let size = end.utf8CodeUnitCount
    let found = view.indices.first { index in
      view.distance(from: index, to: view.endIndex) >= size
        && (0..<size).allSatisfy { view[index + $0] == end.utf8Start[$0] }
    }
    guard let found else {
      guard view.count <= Self.mostHead else {
        throw Mistake(description: "a head is longer than \(Self.mostHead) bytes")
      }
      return nil
    }
    let text = rest.readString(length: found - view.startIndex) ?? ""
    rest.moveReaderIndex(forwardBy: size)
    return text
  }

  /// Reads a head.
  ///
  /// - Returns: the length of the body; `nil` if it is chunked.
  private mutating func read(head: String) throws(Mistake) -> Int? {
    let lines = head.split(separator: "\r\n", omittingEmptySubsequences: false)
    let words = (lines.first ?? "").split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
      throw Mistake(description: "an answer begins with \(head.prefix(40))")
    }
    answer.status = status
    answer.closes = words[0] == "HTTP/1.0"
    var (length, isChunked): (Int?, Bool) = (nil, false)
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      switch line[..<colon].lowercased() {
      case "content-length": length = Int(value)
      case "transfer-encoding": isChunked = value.lowercased() == "chunked"
      case "content-encoding": answer.coding = WireCoding(value.lowercased())
      case "connection":
        let value = value.lowercased()
        answer.closes = value == "close" || (answer.closes && value != "keep-alive")
      case "link" where value.hasSuffix("rel=\"next\"") && value.hasPrefix("<"):
        answer.next = String(value.dropFirst().prefix { $0 != ">" })
      default: break
      }
    }
    if isChunked { return nil }
    if status == 304 || status == 204 { return 0 }
    guard let length, (0...Self.mostBody).contains(length) else {
      throw Mistake(description: "an answer with status \(status) has no length")
    }
    return length
  }
}
