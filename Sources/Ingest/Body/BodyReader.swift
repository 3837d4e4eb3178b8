import NIOCore

/// Finds the stills in the body of a request, whatever form it has: a raw JPEG or several, multipart, JSON.
///
/// The bytes decide what a body is and not its label, since cameras mislabel: FF D8 FF is a picture, two hyphens begin a
/// multipart body, a brace JSON; only where a multipart body has a preamble its label is needed. A pure state machine: it
/// is fed pieces as they come and says what they completed; how a body is cut into pieces makes no difference. It keeps
/// one picture of at most the allowed size and some kilobytes besides.
package struct BodyReader: Sendable {
  private enum Form {
    /// Not known yet, with the bytes so far.
    case undecided(ByteBuffer)
    case raw(RawReader)
    case multipart(MultipartReader)
    case json(JSONReader)
    /// Nothing that a picture could be in, with its first bytes.
    case unknown([UInt8], SkipBudget)
    /// Nothing more is read.
    case over
  }

  /// The most white space before a multipart body or JSON.
  private static let mostSpace = 256
  /// The longest delimiter: a boundary has at most 70 characters (RFC 2046), and some cameras do not know.
  private static let mostDelimiterBytes = 202

  private let label: BodyLabel
  private let limit: Int
  private var form = Form.undecided(ByteBuffer())

  /// A reader of one body.
  ///
  /// - Parameters:
  ///   - label: what the request's head says about it.
  ///   - maxStillBytes: the most bytes that one picture may have. As many bytes that are no picture may stand before each.
  package init(label: BodyLabel, maxStillBytes: Int) {
    self.label = label
    limit = maxStillBytes
  }

  /// Whether one body may bring many stills, so that one bad picture is no reason to stop.
  package var isStream: Bool {
    switch form {
    case .multipart: !label.isForm
    case .raw: label.isOpenEnded
    case .json, .undecided, .unknown, .over: false
    }
  }

  /// What a body without a picture held and what to do, as one sentence.
  package var summary: String {
    switch form {
    case .multipart(let reader): return "\(reader.summary); send the JPEG as a part of its own, as it is"
    case .json(let reader): return "\(reader.summary); send the JPEG as base64 in one of its fields"
    case .unknown(let bytes, _):
      let begin = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
      return "the body begins with \(begin) and not with FF D8 FF; send one JPEG picture, as it is or in a form"
    case .undecided, .raw, .over: return "the body is empty; send one JPEG picture"
    }
  }

  /// The bytes that are kept until more have come: never more than one picture may have and 17 kB.
  package var heldBytes: Int {
    switch form {
    case .undecided(let bytes): bytes.readableBytes
    case .raw(let reader): reader.heldBytes
    case .multipart(let reader): reader.heldBytes
    case .json(let reader): reader.heldBytes
    case .unknown, .over: 0
    }
  }

  /// Takes the next piece of the body and answers what it completed.
  package mutating func read(_ piece: ByteBuffer) -> [BodyItem] {
    guard piece.readableBytes > 0 else { return [] }
    var findings: [BodyItem] = []
    advance(piece, into: &findings)
    stopIfTold(findings)
    return findings
  }

  /// Ends the body, when all of it has come, and answers what that completed.
  package mutating func finish() -> [BodyItem] {
    var findings: [BodyItem] = []
    if case .undecided(let bytes) = form, bytes.readableBytes > 0 {
      decide(bytes, isWhole: true, into: &findings)
      stopIfTold(findings)
    }
    switch form {
    case .raw(var reader):
      reader.finish(into: &findings)
      form = .raw(reader)
    case .multipart(var reader):
      reader.finish(into: &findings)
      if !reader.hasParts, findings.isEmpty {
        findings.append(.malformed("\(reader.summary); check the boundary in Content-Type"))
      }
      form = .multipart(reader)
    case .json(var reader):
      reader.finish(into: &findings)
      form = .json(reader)
    case .undecided, .unknown, .over: break
    }
    stopIfTold(findings)
    return findings
  }

  private mutating func stopIfTold(_ findings: [BodyItem]) {
    switch findings.last {
    case .overflow, .malformed: form = .over
    case .picture, .oversized, nil: break
    }
  }

  private mutating func advance(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    // Each reader is moved out and back in, or its buffers would be copied.
    switch form {
    case .undecided(var bytes):
      form = .over
      var piece = piece
      if bytes.readableBytes == 0 { bytes = piece } else { bytes.writeBuffer(&piece) }
      decide(bytes, isWhole: false, into: &findings)
    case .raw(var reader):
      form = .over
      reader.read(piece, into: &findings)
      form = .raw(reader)
    case .multipart(var reader):
      form = .over
      reader.read(piece, into: &findings)
      form = .multipart(reader)
    case .json(var reader):
      form = .over
      reader.read(piece, into: &findings)
      form = .json(reader)
    case .unknown(var bytes, var budget):
      bytes += piece.readableBytesView.prefix(4 - bytes.count)
      if !budget.spend(piece.readableBytes) { findings.append(.overflow) }
      form = .unknown(bytes, budget)
    case .over: break
    }
  }

  private mutating func decide(_ bytes: ByteBuffer, isWhole: Bool, into findings: inout [BodyItem]) {
    guard let decided = decidedForm(bytes, isWhole: isWhole) else {
      form = .undecided(bytes)
      return
    }
    form = decided
    advance(bytes, into: &findings)
  }

  /// The form that these first bytes show; `nil` when more are needed.
  private func decidedForm(_ bytes: ByteBuffer, isWhole: Bool) -> Form? {
    let view = bytes.readableBytesView
    if view.first == 0xFF {
      guard view.count >= 3 || isWhole else { return nil }
      return view.starts(with: [0xFF, 0xD8, 0xFF])
        ? .raw(RawReader(limit: limit, isStream: label.isOpenEnded)) : other()
    }
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    let text = view.prefix(Self.mostSpace + 2).drop(while: isSpace)
    guard let first = text.first else { return view.count > Self.mostSpace + 1 || isWhole ? other() : nil }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") { return .json(JSONReader(limit: limit)) }
    if first == UInt8(ascii: "-") {
      let line = view[text.startIndex...].prefix(Self.mostDelimiterBytes + 2).prefix { $0 != 0x0A }
      let isLine = line.endIndex < view.endIndex || isWhole
      guard isLine || line.count > Self.mostDelimiterBytes + 1 else { return nil }
      if let delimiter = delimiter(Array(line)) { return multipart(delimiter) }
    }
    return other()
  }

  /// The delimiter that the first line of a body is.
  private func delimiter(_ line: [UInt8]) -> [UInt8]? {
    let end = line.lastIndex { $0 != 0x0D && $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? 0
    let line = Array(line[..<end])
    guard (3...Self.mostDelimiterBytes).contains(line.count), line.starts(with: Array("--".utf8)),
      line.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    // An empty body of parts begins with its closing delimiter.
    if let boundary = label.boundary, line == Array("--\(boundary)--".utf8) { return Array("--\(boundary)".utf8) }
    return line
  }

  private func multipart(_ delimiter: [UInt8]) -> Form {
    .multipart(MultipartReader(delimiter: delimiter, limit: limit, takesAll: !label.isForm))
  }

  /// What begins like no form: the preamble of a multipart body, if the label says so.
  private func other() -> Form {
    if let boundary = label.boundary, boundary.utf8.count <= Self.mostDelimiterBytes - 2 {
      return multipart(Array("--\(boundary)".utf8))
    }
    return .unknown([], SkipBudget(limit))
  }
}
