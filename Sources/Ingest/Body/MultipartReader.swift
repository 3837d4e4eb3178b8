import NIOCore

/// Reads a multipart body (RFC 2046, section 5.1): a form with a picture among its fields (RFC 7578), or a stream of
/// pictures that never has to end (`multipart/x-mixed-replace`).
///
/// Only pictures and what may be the beginning of a delimiter are kept; all else is passed over as it comes. A picture is
/// found at its own EOI, not at the delimiter behind it, so no stream waits for its next part.
struct MultipartReader: Sendable {
  private enum State {
    /// Before the first delimiter, or behind the closing one of a stream.
    case between
    /// Behind a delimiter, in its line.
    case line
    case head(PartHead, bytes: Int)
    case body(PartHead)
    /// Whatever comes is passed over.
    case rest
  }

  private static let mostPartsTold = 4

  private let limit: Int
  private let takesAll: Bool
  private let search: DelimiterSearch
  private var collector: StillCollector
  private var budget: SkipBudget
  private var state = State.between
  private var isLineStart = true
  private var pending = ByteBuffer()
  /// The bytes of a header's unfinished line that hold no line break.
  private var searched = 0
  private var parts = 0
  private var partsTold: [String] = []

  /// A reader of pictures of at most `limit` bytes.
  ///
  /// - Parameters:
  ///   - delimiter: the line between parts, with its hyphens.
  ///   - takesAll: whether each part that is a picture counts, or only the first.
  init(delimiter: [UInt8], limit: Int, takesAll: Bool) {
    search = DelimiterSearch(delimiter: delimiter)
    self.limit = limit
    self.takesAll = takesAll
    collector = StillCollector(limit: limit)
    budget = SkipBudget(limit)
  }

  /// What came besides pictures, as a sentence.
  var summary: String {
    if parts == 0 {
      return "no line of the multipart body is the delimiter \"\(String(decoding: search.delimiter, as: UTF8.self))\""
    }
    let more = parts > partsTold.count ? ", and \(parts - partsTold.count) more" : ""
    return "no part of the multipart body begins with FF D8 FF; found \(partsTold.joined(separator: "; "))\(more)"
  }

  /// Whether a delimiter has come at all.
  var hasParts: Bool { parts > 0 }

  var heldBytes: Int { collector.heldBytes + pending.readableBytes }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    var piece = piece
    if pending.readableBytes == 0 { pending = piece } else { pending.writeBuffer(&piece) }
    while pending.readableBytes > 0, step(into: &findings) {}
    if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    guard case .body(let head) = state else { return }
    // What might have become a delimiter did not.
    _ = collect(pending.readableBytes, into: &findings)
    if case .body = state { endPart(head, into: &findings) }
  }

  /// Does what the bytes that wait allow; `false` when more have to come, or nothing more is read.
  private mutating func step(into findings: inout [BodyItem]) -> Bool {
    switch state {
    case .between:
      switch search.search(pending, isLineStart: isLineStart) {
      case .none(let passed):
        if passed > 0 { isLineStart = false }
        return skip(passed, into: &findings) && false
      case .found(let at, let length, let isClosing):
        guard skip(at + length, into: &findings) else { return false }
        enter(isClosing: isClosing)
      }
    case .line:
      let text = pending.readableBytesView
      guard let end = text.firstIndex(of: 0x0A) else { return skip(text.count, into: &findings) && false }
      state = .head(PartHead(), bytes: 0)
      return skip(end - text.startIndex + 1, into: &findings)
    case .head(let head, let bytes): return readHead(head, bytes: bytes, into: &findings)
    case .body(let head):
      switch search.search(pending, isLineStart: isLineStart) {
      case .none(let passed):
        if passed > 0 { isLineStart = false }
        return collect(passed, into: &findings) && false
      case .found(let at, let length, let isClosing):
        guard collect(at, into: &findings) else { return false }
        if case .body = state {
          endPart(head, into: &findings)
          guard skip(length, into: &findings) else { return false }
          if case .body = state { enter(isClosing: isClosing) }
        }
      }
    case .rest: return skip(pending.readableBytes, into: &findings)
    }
    return true
  }

  private mutating func enter(isClosing: Bool) {
    isLineStart = false
    guard isClosing else {
      state = .line
      parts += 1
      return
    }
    state = takesAll ? .between : .rest
  }

  private mutating func readHead(_ head: PartHead, bytes: Int, into findings: inout [BodyItem]) -> Bool {
    let view = pending.readableBytesView
    // Some leave the empty line out.
    if view.first == 0xFF { return begin(head) }
    // Byte by byte a line must not be searched from its beginning each time.
    let end = pending.withUnsafeReadableBytes { $0.firstOffset(of: 0x0A, from: searched) }
    let length = end.map { $0 + 1 } ?? view.count
    searched = end == nil ? length : 0
    guard bytes + length <= PartHead.mostBytes else {
      findings.append(
        .malformed(
          "the header of part \(parts) is over \(PartHead.mostBytes) bytes; "
            + "put an empty line between a part's header and its content"))
      return false
    }
    guard end != nil else { return false }
    var line = view.prefix(length - 1)
    if line.last == 0x0D { line = line.dropLast() }
    if line.isEmpty {
      guard skip(length, into: &findings) else { return false }
      return begin(head)
    }
    // A part without a header and without an empty line.
    if case .found(_, let length, let isClosing) = search.lineMatch(pending) {
      tell(head, firstBytes: [])
      guard skip(length, into: &findings) else { return false }
      enter(isClosing: isClosing)
      return true
    }
    var head = head
    head.read(String(decoding: line, as: UTF8.self))
    state = .head(head, bytes: bytes + length)
    return skip(length, into: &findings)
  }

  private mutating func begin(_ head: PartHead) -> Bool {
    collector = StillCollector(limit: limit)
    // The empty line before an empty part is also the line break before the next delimiter.
    isLineStart = true
    state = .body(head)
    return true
  }

  /// Hands so many bytes of a part on.
  private mutating func collect(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    guard let slice = pending.readSlice(length: count) else { return true }
    switch collector.append(slice) {
    case .passed(let passed): return spend(passed, into: &findings)
    case .oversized(let rest): return found(.oversized, rest: rest, into: &findings)
    case .picture(let picture, let rest): return found(.picture(picture), rest: rest, into: &findings)
    case .brokeOff: return true  // Collectors that do not split never say so.
    }
  }

  private mutating func endPart(_ head: PartHead, into findings: inout [BodyItem]) {
    if let picture = collector.end() {
      _ = found(.picture(picture), rest: 0, into: &findings)
    } else if collector.kind != .picture {
      tell(head, firstBytes: collector.firstBytes)
    }
  }

  private mutating func tell(_ head: PartHead, firstBytes: [UInt8]) {
    if partsTold.count < Self.mostPartsTold { partsTold.append(head.described(firstBytes: firstBytes)) }
  }

  private mutating func found(_ finding: BodyItem, rest: Int, into findings: inout [BodyItem]) -> Bool {
    findings.append(finding)
    budget.renew()
    if !takesAll { state = .rest }
    return spend(rest, into: &findings)
  }

  private mutating func skip(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    pending.moveReaderIndex(forwardBy: count)
    return spend(count, into: &findings)
  }

  private mutating func spend(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    if budget.spend(count) { return true }
    findings.append(.overflow)
    return false
  }
}
