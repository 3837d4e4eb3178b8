import Media
import NIOCore

/// Reads a multipart body (RFC 2046, section 5.1): a form with a picture among its fields (RFC 7578), or a stream of
/// pictures that need not end (`multipart/x-mixed-replace`).
///
/// Only pictures and what may be the beginning of a delimiter are kept; all else is passed over as it comes. A picture is
/// found at its own EOI, not at the delimiter behind it, so no stream waits for its next part. Between the parts FF D8 FF
/// begins a picture wherever it stands, so a stream may do without delimiters and heads.
struct MultipartReader: Sendable {
  private enum State {
    /// Between parts, where lines tell what follows.
    case gap
    /// After a delimiter, in its line.
    case line
    case head(PartHead, bytes: Int)
    /// In a part's content; `text` reads it where it may be base64.
    case body(PartHead, text: TextStill?)
    /// Everything is skipped.
    case rest
  }

  private static let mostPartsTold = 4

  private let limit: Int
  private let takesAll: Bool
  private let boundary: [UInt8]?
  private var search: DelimiterSearch?
  private var collector: StillCollector
  private var selection: StillSelection
  private var budget: SkipBudget
  private var state = State.gap
  private var isLineStart = true
  private var pending = ByteBuffer()
  /// The bytes of an unfinished line that hold no line break.
  private var searched = 0
  private var parts = 0
  private var partsTold: [String] = []
  private var offset = 0
  private var isOverflown = false

  /// A reader of pictures of at most `limit` bytes.
  ///
  /// - Parameters:
  ///   - delimiter: the line between parts, with its hyphens; `nil` where it has to be found out.
  ///   - boundary: what the body's label says of it.
  ///   - takesAll: whether each part that is a picture counts, or only the one of the choice.
  init(delimiter: [UInt8]?, boundary: [UInt8]? = nil, limit: Int, takesAll: Bool, choice: StillChoice = .first) {
    search = delimiter.map { DelimiterSearch(delimiter: $0) }
    self.boundary = boundary
    self.limit = limit
    self.takesAll = takesAll
    collector = StillCollector(limit: limit, splits: takesAll)
    selection = StillSelection(choice)
    // A form's picture may be written as base64.
    budget = SkipBudget(takesAll ? limit : limit / 3 * 4 + limit)
  }

  /// What was found besides pictures, as a sentence.
  var summary: String {
    if parts == 0 {
      let delimiter = search.map { "\"\(String(decoding: $0.delimiter, as: UTF8.self))\"" } ?? "a line with two hyphens"
      return "no line of the multipart body is the delimiter \(delimiter)"
    }
    let more = parts > partsTold.count ? ", and \(parts - partsTold.count) more" : ""
    return "no part of the multipart body begins with FF D8 FF; found \(partsTold.joined(separator: "; "))\(more)"
  }

  /// Whether a part has come at all.
  var hasParts: Bool { parts > 0 }

  var heldBytes: Int {
    var text = 0
    if case .body(_, let reader?) = state { text = reader.heldBytes }
    return collector.heldBytes + selection.heldBytes + text + pending.readableBytes
  }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    var piece = piece
    if pending.readableBytes == 0 { pending = piece } else { pending.writeBuffer(&piece) }
    while pending.readableBytes > 0, !isOverflown, step(into: &findings) {}
    if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    guard !isOverflown else { return }
    if case .body = state {
      // What could have become a delimiter did not.
      _ = collect(pending.readableBytes, into: &findings)
      if case .body = state { endPart(into: &findings) }
      while pending.readableBytes > 0, !isOverflown, step(into: &findings) {}
    }
    guard !isOverflown else { return }
    if let picture = selection.settle() { findings.append(.picture(picture)) }
  }

  /// Processes the waiting bytes as far as possible; `false` if more must come, or nothing more is read.
  private mutating func step(into findings: inout [BodyItem]) -> Bool {
    switch state {
    case .gap: return readLine(into: &findings)
    case .line:
      let text = pending.readableBytesView
      guard let end = text.firstIndex(of: 0x0A) else { return skip(text.count, into: &findings) && false }
      state = .head(PartHead(), bytes: 0)
      return skip(end - text.startIndex + 1, into: &findings)
    case .head(let head, let bytes): return readHead(head, bytes: bytes, into: &findings)
    case .body(let head, _): return readBody(head, into: &findings)
    case .rest: return skip(pending.readableBytes, into: &findings)
    }
  }

  // Between parts

  private mutating func readLine(into findings: inout [BodyItem]) -> Bool {
    let (start, lineFeed) = pending.withUnsafeReadableBytes { bytes in
      let lineFeed = bytes.firstOffset(of: 0x0A, from: 0)
      return (Self.pictureStart(bytes, before: lineFeed ?? bytes.count), lineFeed)
    }
    if let start, start.isWhole {
      guard skip(start.offset, into: &findings) else { return false }
      parts += 1
      return begin(PartHead())
    }
    if let lineFeed {
      let line = pending.readableBytesView.prefix(lineFeed)
      let kind = isLineStart && lineFeed <= PartLine.mostBytes ? self.kind(line) : .other
      var head = PartHead()
      if case .field = kind { head.read(String(decoding: line, as: UTF8.self)) }
      guard skip(lineFeed + 1, into: &findings) else { return false }
      isLineStart = true
      return enter(kind, head: head)
    }
    // The beginning of SOI may be all that is there of it.
    let certain = start?.offset ?? pending.readableBytes
    guard !isLineStart || pending.readableBytes > PartLine.mostBytes else { return false }
    isLineStart = false
    return skip(certain, into: &findings) && false
  }

  /// Where FF D8 FF stands, or may come to stand with the next bytes.
  private static func pictureStart(
    _ bytes: UnsafeRawBufferPointer, before end: Int
  ) -> (offset: Int, isWhole: Bool)? {
    var from = 0
    while let found = bytes.firstOffset(of: 0xFF, from: from), found < end {
      let rest = bytes[found..<min(found + 3, bytes.count)]
      if rest.elementsEqual([0xFF, 0xD8, 0xFF].prefix(rest.count)) { return (found, rest.count == 3) }
      from = found + 1
    }
    return nil
  }

  private mutating func kind(_ line: some Collection<UInt8>) -> PartLine.Kind {
    let kind = PartLine.kind(line, delimiter: search?.delimiter, boundary: boundary)
    guard case .other = kind, search == nil, let delimiter = PartLine.delimiter(line) else { return kind }
    search = DelimiterSearch(delimiter: delimiter)
    return .delimiter(rest: nil)
  }

  /// Goes on behind a line.
  private mutating func enter(_ kind: PartLine.Kind, head: PartHead) -> Bool {
    searched = 0
    switch kind {
    case .other: break
    case .closing: state = takesAll ? .gap : .rest
    case .field:
      parts += 1
      state = .head(head, bytes: 0)
    case .delimiter(let rest):
      parts += 1
      var head = head
      if let rest { head.read(String(decoding: rest, as: UTF8.self)) }
      state = .head(head, bytes: rest?.count ?? 0)
    }
    return true
  }

  private mutating func readHead(_ head: PartHead, bytes: Int, into findings: inout [BodyItem]) -> Bool {
    let view = pending.readableBytesView
    // Some cameras leave out the empty line.
    if view.first == 0xFF { return begin(head) }
    // If a line comes byte by byte, it must not be searched from its start each time.
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
    let kind = PartLine.kind(line, delimiter: search?.delimiter, boundary: boundary)
    switch kind {
    case .delimiter, .closing:
      tell(head, firstBytes: [])
      guard skip(length, into: &findings) else { return false }
      return enter(kind, head: PartHead())
    case .field, .other: break
    }
    var head = head
    head.read(String(decoding: line, as: UTF8.self))
    state = .head(head, bytes: bytes + length)
    return skip(length, into: &findings)
  }

  // Content

  private mutating func begin(_ head: PartHead) -> Bool {
    collector = StillCollector(limit: limit, splits: takesAll)
    // The empty line before an empty part is also the line break before the next delimiter.
    isLineStart = true
    state = .body(head, text: takesAll && !head.isBase64 ? nil : TextStill(limit: limit))
    return true
  }

  private mutating func readBody(_ head: PartHead, into findings: inout [BodyItem]) -> Bool {
    // One empty line too many.
    if collector.kind == .unknown, collector.firstBytes.isEmpty, search?.lineMatch(pending) == nil {
      let breaks = pending.readableBytesView.prefix { $0 == 0x0D || $0 == 0x0A }.count
      if breaks > 0 { return skip(breaks, into: &findings) }
    }
    // A stream's text is no content of its own: what stands there may be the head of a picture.
    if takesAll, !head.isBase64, collector.kind == .unknown, collector.firstBytes.isEmpty,
      let first = pending.readableBytesView.first, (0x20...0x7E).contains(first)
    {
      tell(head, firstBytes: Array(pending.readableBytesView.prefix(1)))
      state = .gap
      isLineStart = true
      return true
    }
    let before = pending.readableBytes
    guard let search else {
      if collector.kind == .unknown, collector.firstBytes.isEmpty {
        guard before >= 3 else { return false }
        guard pending.readableBytesView.starts(with: [0xFF, 0xD8, 0xFF]) else {
          // Without a delimiter nothing tells where it ends.
          state = .gap
          isLineStart = true
          return true
        }
      }
      return collect(before, into: &findings) && pending.readableBytes > 0
    }
    switch search.search(pending, isLineStart: isLineStart) {
    case .none(let passed):
      if passed > 0 { isLineStart = false }
      guard collect(passed, into: &findings) else { return false }
      if case .body = state { return pending.readableBytes != before - passed }
    case .found(let at, let length, let isClosing):
      guard collect(at, into: &findings) else { return false }
      // What was collected may have ended sooner, and what is left of it waits again.
      guard case .body = state, pending.readableBytes == before - at else { return true }
      endPart(into: &findings)
      guard skip(length, into: &findings) else { return false }
      if case .rest = state { return true }
      isLineStart = false
      searched = 0
      if isClosing { state = takesAll ? .gap : .rest } else { (state, parts) = (.line, parts + 1) }
    }
    return true
  }

  /// Passes on this many bytes of a part.
  private mutating func collect(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    guard count > 0, let slice = pending.readSlice(length: count) else { return true }
    offset += count
    if collector.kind != .picture, !readText(slice, into: &findings) { return !isOverflown }
    switch collector.append(slice) {
    case .passed(let passed): return spend(passed, into: &findings)
    case .oversized(let rest): return found(.oversized, rest: rest, into: &findings)
    case .picture(let picture, let rest): return found(.picture(picture), rest: rest, into: &findings)
    case .brokeOff(let picture, let next):
      findings.append(.picture(picture))
      budget.renew()
      collector = StillCollector(limit: limit, splits: true)
      var next = next
      offset -= next.readableBytes
      next.writeBuffer(&pending)
      pending = next
      isLineStart = false
      return true
    }
  }

  /// Reads a part that may be base64; `false` when it was a picture, and the rest of the slice is none.
  private mutating func readText(_ slice: ByteBuffer, into findings: inout [BodyItem]) -> Bool {
    guard case .body(let head, var text?) = state, !text.isOther else { return true }
    state = .rest
    for (index, byte) in slice.readableBytesView.enumerated() {
      if let finding = text.take(byte, offset: offset - slice.readableBytes + index + 1) {
        state = .body(head, text: nil)
        guard spend(index + 1, into: &findings) else { return false }
        _ = found(finding, rest: slice.readableBytes - index - 1, isText: true, into: &findings)
        return false
      }
      if text.isOther { break }
    }
    state = .body(head, text: text)
    return true
  }

  private mutating func endPart(into findings: inout [BodyItem]) {
    guard case .body(let head, let text) = state else { return }
    if var text, !text.isOther, collector.kind != .picture, let finding = text.end(offset: offset) {
      _ = found(finding, rest: 0, isText: true, into: &findings)
    } else if let picture = collector.end() {
      _ = found(.picture(picture), rest: 0, into: &findings)
    } else if collector.kind != .picture {
      tell(head, firstBytes: collector.firstBytes)
    }
  }

  private mutating func tell(_ head: PartHead, firstBytes: [UInt8]) {
    if partsTold.count < Self.mostPartsTold { partsTold.append(head.described(firstBytes: firstBytes)) }
  }

  /// Takes a finding in; so many of the bytes that were read lie behind it.
  private mutating func found(
    _ finding: BodyItem, rest: Int, isText: Bool = false, into findings: inout [BodyItem]
  ) -> Bool {
    budget.renew()
    guard case .body(let head, _) = state else { return true }
    if takesAll {
      findings.append(finding)
      guard !isText else { return spend(rest, into: &findings) }
      if case .oversized = finding, search != nil { return spend(rest, into: &findings) }
      // Behind its EOI a picture has no more to say, and the next delimiter need not begin a line.
      pending.moveReaderIndex(to: pending.readerIndex - rest)
      offset -= rest
      state = .gap
      isLineStart = true
      return true
    }
    if case .picture(let picture) = finding {
      if let chosen = selection.offer(picture, name: head.fieldName) { findings.append(.picture(chosen)) }
      if !selection.isOver { return spend(rest, into: &findings) }
    } else {
      findings.append(finding)
    }
    state = .rest
    return spend(rest, into: &findings)
  }

  private mutating func skip(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    pending.moveReaderIndex(forwardBy: count)
    offset += count
    return spend(count, into: &findings)
  }

  private mutating func spend(_ count: Int, into findings: inout [BodyItem]) -> Bool {
    if isOverflown { return false }
    if budget.spend(count) { return true }
    findings.append(.overflow)
    isOverflown = true
    return false
  }
}
