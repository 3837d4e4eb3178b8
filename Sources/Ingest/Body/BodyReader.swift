import Media
import NIOCore

/// Finds the stills in the body of a request, or of a camera's answer, whatever form it has: a raw JPEG or several,
/// multipart, JSON, base64, the fields of a form.
///
/// The bytes decide what a body is, not its label, because cameras often send wrong labels: FF D8 FF is a picture, two
/// hyphens begin a multipart body, a brace begins JSON. The label is needed only if a multipart body has a preamble. A
/// pure state machine: it gets the body in pieces and returns what they completed. How a body is cut into pieces makes
/// no difference. It keeps one picture of at most the allowed size and some kilobytes more.
package struct BodyReader: Sendable {
  private enum Form {
    /// Not known yet, with the bytes so far.
    case undecided(ByteBuffer)
    case raw(RawReader)
    case multipart(MultipartReader)
    case json(JSONReader)
    case fields(FieldsReader)
    /// Nothing that can contain a picture, with its first bytes.
    case unknown([UInt8], SkipBudget)
    /// Nothing more is read.
    case over
  }

  /// The most white space before a multipart body or JSON.
  private static let mostSpace = 256
  /// The longest delimiter: a boundary has at most 70 characters (RFC 2046), and some cameras do not know.
  private static let mostDelimiterBytes = 202

  /// As many first bytes tell a text that is base64, or a part's head, from others.
  private static let signBytes = 9
  /// The longest name of a form's field that the body may begin with.
  private static let mostNameBytes = 80

  private let label: BodyLabel
  private let limit: Int
  private let choice: StillChoice
  private var form = Form.undecided(ByteBuffer())

  /// A reader of one body.
  ///
  /// - Parameters:
  ///   - label: what the request's head says about it.
  ///   - maxStillBytes: the most bytes of one picture. Before each picture, as many other bytes are allowed.
  ///   - choice: which picture is taken of a body that is one push and brings several.
  package init(label: BodyLabel, maxStillBytes: Int, choice: StillChoice = .first) {
    self.label = label
    self.choice = choice
    limit = maxStillBytes
  }

  /// Whether one body can have many stills, so that one bad picture is no reason to stop.
  package var isStream: Bool {
    switch form {
    case .multipart: !isOnePush
    case .raw: label.isOpenEnded
    case .json, .fields, .undecided, .unknown, .over: false
    }
  }

  /// Whether all parts of a multipart body belong to one push.
  private var isOnePush: Bool { label.isForm || choice != .first && !label.isOpenEnded }

  /// What a body has turned out to be.
  package enum Kind: Sendable {
    /// Too few bytes came.
    case undecided
    /// A JPEG, or JPEGs one behind the other.
    case picture
    /// Parts.
    case multipart
    /// JSON, a form or base64.
    case text
    /// Nothing that a picture could be in.
    case unknown
  }

  /// What the body has turned out to be.
  package var kind: Kind {
    switch form {
    case .undecided, .over: .undecided
    case .raw: .picture
    case .multipart: .multipart
    case .json, .fields: .text
    case .unknown: .unknown
    }
  }

  /// What a body without a picture contained and what to do, as one sentence.
  package var summary: String {
    switch form {
    case .multipart(let reader): return "\(reader.summary); send the JPEG as a part of its own, as it is"
    case .json(let reader): return "\(reader.summary); send the JPEG as base64 in one of its fields"
    case .fields(let reader): return "\(reader.summary); send the JPEG as it is, or as base64"
    case .unknown(let bytes, _):
      let begin = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
      return "the body begins with \(begin) and not with FF D8 FF; send one JPEG picture, as it is or in a form"
    case .undecided, .raw, .over: return "the body is empty; send one JPEG picture"
    }
  }

  /// The bytes that are kept until more have come: never more than two pictures may have and 17 kB.
  package var heldBytes: Int {
    switch form {
    case .undecided(let bytes): bytes.readableBytes
    case .raw(let reader): reader.heldBytes
    case .multipart(let reader): reader.heldBytes
    case .json(let reader): reader.heldBytes
    case .fields(let reader): reader.heldBytes
    case .unknown, .over: 0
    }
  }

  /// Takes the next piece of the body and returns what it completed.
  package mutating func read(_ piece: ByteBuffer) -> [BodyItem] {
    guard piece.readableBytes > 0 else { return [] }
    var findings: [BodyItem] = []
    advance(piece, into: &findings)
    stopIfTold(&findings)
    return findings
  }

  /// Ends the body, when all of it has come, and returns what that completed.
  package mutating func finish() -> [BodyItem] {
    var findings: [BodyItem] = []
    if case .undecided(let bytes) = form, bytes.readableBytes > 0 {
      decide(bytes, isWhole: true, into: &findings)
      stopIfTold(&findings)
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
    case .fields(var reader):
      reader.finish(into: &findings)
      form = .fields(reader)
    case .undecided, .unknown, .over: break
    }
    stopIfTold(&findings)
    return findings
  }

  /// Reads nothing more behind what ends the body, however the body is cut into pieces.
  private mutating func stopIfTold(_ findings: inout [BodyItem]) {
    let end = findings.firstIndex { finding in
      switch finding {
      case .overflow, .malformed: true
      case .picture, .oversized: false
      }
    }
    guard let end else { return }
    findings.removeSubrange((end + 1)...)
    form = .over
  }

  private mutating func advance(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    // Each reader is moved out and back in; otherwise its buffers would be copied.
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
    case .fields(var reader):
      form = .over
      reader.read(piece, into: &findings)
      form = .fields(reader)
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

  /// The form of these first bytes; `nil` if more are needed.
  private func decidedForm(_ bytes: ByteBuffer, isWhole: Bool) -> Form? {
    let view = bytes.readableBytesView
    if view.first == 0xFF {
      guard view.count >= 3 || isWhole else { return nil }
      return view.starts(with: [0xFF, 0xD8, 0xFF])
        ? .raw(RawReader(limit: limit, isStream: label.isOpenEnded)) : other()
    }
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
    var start = view.prefix(Self.mostSpace + 2)
    // A byte order mark.
    if start.first == 0xEF {
      guard start.count >= 3 || isWhole else { return nil }
      if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
    }
    let text = start.drop(while: isSpace)
    guard let first = text.first else { return view.count > Self.mostSpace + 1 || isWhole ? other(isText: true) : nil }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      return .json(JSONReader(limit: limit, choice: choice))
    }
    let rest = view[text.startIndex...]
    if first == UInt8(ascii: "-") {
      let line = rest.prefix(Self.mostDelimiterBytes + 2).prefix { $0 != 0x0A }
      let isLine = line.endIndex < view.endIndex || isWhole
      guard isLine || line.count > Self.mostDelimiterBytes + 1 else { return nil }
      if let delimiter = delimiter(Array(line)) { return multipart(delimiter) }
      return other(isText: true)
    }
    guard rest.count >= Self.signBytes || isWhole else { return nil }
    let sign = rest.prefix(Self.signBytes)
    if [Array("/9j/".utf8), Array("_9j_".utf8), Array("data:".utf8)].contains(where: sign.starts(with:)) {
      return .fields(FieldsReader(limit: limit, isForm: false, choice: choice))
    }
    if label.boundary == nil, sign.starts(with: "HTTP/1.".utf8) || Self.isFieldName(sign) { return multipart(nil) }
    if label.isURLEncoded { return .fields(FieldsReader(limit: limit, isForm: true, choice: choice)) }
    if label.boundary == nil {
      let name = rest.prefix(Self.mostNameBytes).prefix(while: Self.isNameByte)
      let isNamed = name.endIndex < rest.endIndex && rest[name.endIndex] == UInt8(ascii: "=")
      if !name.isEmpty, isNamed, name.count < Self.mostNameBytes {
        return .fields(FieldsReader(limit: limit, isForm: true, choice: choice))
      }
      guard name.count < rest.count || name.count >= Self.mostNameBytes || isWhole else { return nil }
    }
    return other(isText: (0x20...0x7E).contains(first) || text.startIndex > start.startIndex)
  }

  /// Whether these bytes begin a field of a part's head.
  private static func isFieldName(_ sign: some Collection<UInt8>) -> Bool {
    sign.count >= 8 && zip(sign, "content-".utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x25, 0x2B, 0x2D, 0x2E, 0x5B, 0x5D, 0x5F: true
    default: false
    }
  }

  /// The delimiter in the first line of a body.
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

  private func multipart(_ delimiter: [UInt8]?) -> Form {
    .multipart(
      MultipartReader(
        delimiter: delimiter, boundary: label.boundary.map { Array($0.utf8) }, limit: limit, takesAll: !isOnePush,
        choice: choice))
  }

  /// What begins like no form: the preamble of a multipart body, if the label says so, or a stream of images whose
  /// first part begins as no other.
  private func other(isText: Bool = false) -> Form {
    if let boundary = label.boundary, boundary.utf8.count <= Self.mostDelimiterBytes - 2 {
      return multipart(Array("--\(boundary)".utf8))
    }
    if label.type.hasPrefix("multipart/") || isText && label.isOpenEnded && label.type.hasPrefix("image/") {
      return multipart(nil)
    }
    return .unknown([], SkipBudget(limit))
  }
}
