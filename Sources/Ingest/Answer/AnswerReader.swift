import NIOCore

/// Reads one answer of a camera over HTTP/1: its head, leniently (`AnswerHead`), and its body as far as the bytes agree
/// with what the head says of it.
///
/// A pure state machine of bounded memory: it keeps a line at most and hands the body on as it comes. Different lengths
/// in one head are ignored; a body that is said to be chunked and is not is taken as it is; one that goes on behind its
/// length is handed on too, since a picture's own end is surer than a camera's counting.
package struct AnswerReader: Sendable {
  /// What the bytes turned out to be.
  package enum Event: Hashable, Sendable {
    /// The head; it comes once.
    case head(AnswerHead)
    /// The next bytes of the body.
    case body(ByteBuffer)
    /// The body has the length that the head says. What comes behind is handed on as `body`.
    case end(isReusable: Bool)
    /// The answer is none of HTTP; the sentence says what was read. Nothing more is read.
    case malformed(String)
  }

  private enum State {
    /// Before the status line.
    case start
    case fields(AnswerHead)
    /// A body of so many more bytes.
    case counted(Int, isReusable: Bool)
    /// At the first byte of a body that is said to be chunked.
    case chunks
    /// In the line of a chunk's size, or of its trailer.
    case size
    case chunk(Int)
    /// Behind a chunk's bytes.
    case chunkEnd
    case trailer
    /// A body that ends with the connection, or what comes behind the end.
    case open
    case failed
  }

  private static let mostLineBytes = 16_384

  private var state = State.start
  private var pending = ByteBuffer()
  private var headBytes = 0
  private var isPersistent = false

  /// A reader of one answer to a GET.
  package init() {}

  /// The bytes that wait for more.
  package var heldBytes: Int { pending.readableBytes }

  /// Takes the next bytes.
  package mutating func read(_ piece: ByteBuffer) -> [Event] {
    var piece = piece
    var events: [Event] = []
    if pending.readableBytes == 0 { pending = piece } else { pending.writeBuffer(&piece) }
    while pending.readableBytes > 0, step(&events) {}
    if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
    return events
  }

  /// Ends the answer with the connection.
  package mutating func finish() -> [Event] {
    defer { state = .failed }
    switch state {
    case .start:
      guard pending.readableBytes > 0 else { return [.malformed("the connection ended without an answer")] }
      return [.malformed("the connection ended after \(shown(pending.readableBytesView))")]
    case .fields: return [.malformed("the connection ended in the middle of the answer's head")]
    case .counted, .chunks, .size, .chunk, .chunkEnd, .trailer, .open, .failed: return []
    }
  }

  private mutating func step(_ events: inout [Event]) -> Bool {
    switch state {
    case .start: return readStart(&events)
    case .fields(let head): return readField(head, &events)
    case .counted(let left, let isReusable):
      guard let bytes = pending.readSlice(length: min(left, pending.readableBytes)) else { return false }
      if bytes.readableBytes > 0 { events.append(.body(bytes)) }
      state = .counted(left - bytes.readableBytes, isReusable: isReusable)
      if left == bytes.readableBytes { end(&events, isReusable: isReusable) }
    case .chunks:
      // Some say so and do not do it.
      let isSize = pending.readableBytesView.first.map(Self.isHex) ?? false
      state = isSize ? .size : .open
    case .size:
      guard let line = readLine(&events) else { return false }
      let digits = line.prefix { Self.isHex($0) }
      guard !digits.isEmpty, digits.count <= 8, let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
      else {
        state = .open
        return true
      }
      state = size == 0 ? .trailer : .chunk(size)
    case .chunk(let left):
      guard let bytes = pending.readSlice(length: min(left, pending.readableBytes)) else { return false }
      events.append(.body(bytes))
      state = left == bytes.readableBytes ? .chunkEnd : .chunk(left - bytes.readableBytes)
    case .chunkEnd:
      guard let line = readLine(&events) else { return false }
      state = line.isEmpty ? .size : .open
    case .trailer:
      guard let line = readLine(&events) else { return false }
      if line.isEmpty { end(&events, isReusable: isPersistent) }
    case .open:
      events.append(.body(pending))
      pending = ByteBuffer()
    case .failed: pending = ByteBuffer()
    }
    return true
  }

  private mutating func end(_ events: inout [Event], isReusable: Bool) {
    events.append(.end(isReusable: isReusable && pending.readableBytes == 0))
    state = .open
  }

  private mutating func readStart(_ events: inout [Event]) -> Bool {
    let view = pending.readableBytesView
    let sign = view.prefix(3)
    // A picture, or a part of a stream, without any head.
    for body in [[0xFF, 0xD8, 0xFF], Array("--".utf8)] as [[UInt8]] where sign.starts(with: body) {
      events.append(.head(AnswerHead()))
      state = .open
      return true
    }
    if sign.count < 3, [0xFF, UInt8(ascii: "-")].contains(view.first) { return false }
    guard let line = readLine(&events) else { return false }
    if line.isEmpty { return true }
    guard let head = AnswerHead(statusLine: line) else {
      events.append(.malformed("the answer begins with \(shown(line)) and is none of HTTP"))
      state = .failed
      return false
    }
    state = .fields(head)
    return true
  }

  private mutating func readField(_ head: AnswerHead, _ events: inout [Event]) -> Bool {
    // Some leave the empty line out.
    if pending.readableBytesView.first == 0xFF {
      begin(head, &events)
      return true
    }
    guard let line = readLine(&events) else { return false }
    guard line.isEmpty else {
      var head = head
      head.read(line)
      state = .fields(head)
      return true
    }
    // 1xx answers come before the one that counts (RFC 9110, section 15.2).
    if (100..<200).contains(head.status) { state = .start } else { begin(head, &events) }
    return true
  }

  private mutating func begin(_ head: AnswerHead, _ events: inout [Event]) {
    events.append(.head(head))
    isPersistent = head.isPersistent && !head.closes
    if head.status == 204 || head.status == 304 {
      end(&events, isReusable: isPersistent)
    } else if head.isChunked {
      state = .chunks
    } else if let length = head.length {
      state = .counted(length, isReusable: isPersistent)
      if length == 0 { end(&events, isReusable: isPersistent) }
    } else {
      state = .open
    }
  }

  /// The next line without its line break; `nil` while it is not whole, or where it is too long.
  private mutating func readLine(_ events: inout [Event]) -> [UInt8]? {
    let end = pending.withUnsafeReadableBytes { $0.firstOffset(of: 0x0A, from: 0) }
    let length = end.map { $0 + 1 } ?? pending.readableBytes
    guard length <= Self.mostLineBytes, headBytes + length <= AnswerHead.mostBytes || !isInHead else {
      events.append(.malformed("the answer's head is over \(AnswerHead.mostBytes) bytes"))
      state = .failed
      return nil
    }
    guard end != nil, var line = pending.readBytes(length: length) else { return nil }
    if isInHead { headBytes += length }
    line.removeLast()
    if line.last == 0x0D { line.removeLast() }
    return line
  }

  private var isInHead: Bool {
    switch state {
    case .start, .fields: true
    default: false
    }
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  /// The first bytes of something as a person may read them.
  private func shown(_ bytes: some Collection<UInt8>) -> String {
    let plain = bytes.prefix(40).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
    let text = String(decoding: plain, as: UTF8.self)
    return "\"\(text)\""
  }
}
