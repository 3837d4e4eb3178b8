import Media
import NIOCore
import NIOHTTP1

/// What is wrong with a request that cannot be read, as one sentence for whoever wrote its client.
///
/// The sentence names lines by their number and repeats nothing of what was sent: a secret may stand anywhere in it.
struct HeadFault: Error, Hashable, Sendable {
  /// The status of the answer.
  let status: HTTPResponseStatus
  /// A word for programs.
  let code: String
  /// What was wrong, where, and what to do.
  let detail: String

  private init(_ status: HTTPResponseStatus, _ code: String, _ detail: String) {
    self.status = status
    self.code = code
    self.detail = detail
  }

  /// A head that breaks a rule of HTTP/1.1 (RFC 9112).
  init(_ detail: String) { self.init(.badRequest, "badRequest", detail) }

  /// What the parser refused, explained by the head that it was given as far as that is known.
  ///
  /// - Parameters:
  ///   - head: the bytes of the head; empty where it was fine and the body is not.
  ///   - isInBody: whether the head had been read.
  init(_ error: HTTPParserError, head: [UInt8], isInBody: Bool) {
    switch error {
    case .headerOverflow:
      self.init(
        .requestHeaderFieldsTooLarge, "headTooLarge",
        "the head of the request is too large; send at most 64 lines of 8 KiB")
    case .invalidEOFState where isInBody:
      self.init(.requestTimeout, "bodyEnded", "the connection ended before the body did; send it again, whole")
    case .invalidEOFState:
      self.init("the connection ended before the head of the request did; end the head with an empty line")
    case _ where isInBody:
      self.init(
        "the body's chunks cannot be read; before each chunk stands its length in hexadecimal digits on a line of its "
          + "own, behind it CR and LF, and a chunk of length 0 ends the body")
    default:
      self.init(Self.explanation(of: head) ?? "the head of the request cannot be read; send it as RFC 9112 says")
    }
  }

  /// The answer's body.
  var json: String { "{\"error\":\(code.jsonQuoted),\"detail\":\(detail.jsonQuoted)}\n" }

  // MARK: Explaining

  private static func explanation(of head: [UInt8]) -> String? {
    if head.starts(with: [0x16, 0x03]) {
      return "this is a TLS handshake and plain HTTP is spoken here; use http:// or give the address a certificate"
    }
    let lines = head.split(separator: lineFeed, omittingEmptySubsequences: false)
    guard let first = lines.first, !head.isEmpty else { return nil }
    let ends = lines.dropLast().map { $0.last == carriageReturn }
    if ends.contains(true), let bare = ends.firstIndex(of: false) {
      return "line \(bare + 1) of the head ends with LF alone and others with CR LF; end each line with CR LF"
    }
    return explanation(ofRequestLine: trimmed(first)) ?? explanation(ofFields: lines.dropFirst().map { trimmedEnd($0) })
      ?? explanation(ofMethod: trimmed(first))
  }

  private static func explanation(ofRequestLine line: ArraySlice<UInt8>) -> String? {
    let form = "the first line has to be METHOD, one space, the address, one space, HTTP/1.1"
    let pieces = line.split(separator: space)
    guard let method = pieces.first, method.allSatisfy(isCapital) else {
      return "the request begins with no method in capital letters; \(form)"
    }
    if pieces.count < 3 { return "the first line of the request is incomplete; \(form)" }
    if pieces.count > 3 {
      return "there is a space in the address; write it as %20, and end the line right behind HTTP/1.1"
    }
    if pieces[2] != ArraySlice("HTTP/1.1".utf8), pieces[2] != ArraySlice("HTTP/1.0".utf8) {
      return "the first line does not end with HTTP/1.1 or HTTP/1.0; other versions are not spoken in this form"
    }
    if pieces[1].contains(where: { $0 <= space || $0 >= 0x7F }) {
      return "the address has a sign that must not stand there; write signs beyond ASCII as %XX"
    }
    return nil
  }

  private static func explanation(ofMethod line: ArraySlice<UInt8>) -> String? {
    let known = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"]
    guard let method = line.split(separator: space).first, !known.contains(String(decoding: method, as: UTF8.self))
    else { return nil }
    return "the method is not known here; use GET, HEAD, OPTIONS, POST or PUT"
  }

  private static func explanation(ofFields lines: [ArraySlice<UInt8>]) -> String? {
    var lengths: [ArraySlice<UInt8>] = []
    var isChunked = false
    for (index, line) in lines.enumerated() {
      if line.isEmpty { break }
      let place = "line \(index + 2) of the head"
      if line.first == space || line.first == tab {
        return "\(place) begins with a space and so goes on with the line before it; write each header on one line"
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
        return "\(place) has no colon; write NAME: VALUE"
      }
      let (name, value) = (line[..<colon], trimmed(line[(colon + 1)...]))
      if name.isEmpty { return "\(place) has no name before its colon; write NAME: VALUE" }
      if name.last == space || name.last == tab { return "\(place) has a space before its colon; write NAME: VALUE" }
      if !name.allSatisfy(isTokenSign) { return "\(place) has a sign in its name that must not stand there" }
      if value.contains(where: { $0 < space && $0 != tab || $0 == 0x7F }) {
        return "\(place) has a control character in its value; send text"
      }
      switch String(decoding: name, as: UTF8.self).lowercased() {
      case "content-length": lengths.append(value)
      case "transfer-encoding": isChunked = true
      default: break
      }
    }
    if lengths.count > 1 { return "Content-Length stands there \(lengths.count) times; send it once" }
    if let length = lengths.first {
      if length.isEmpty || length.count > 18 || !length.allSatisfy({ (48...57).contains($0) }) {
        return "Content-Length is no count of bytes; send decimal digits alone"
      }
      if isChunked { return "Content-Length and Transfer-Encoding stand there together; send one of them" }
    }
    return isChunked ? "Transfer-Encoding is not \"chunked\" alone; send that, or Content-Length" : nil
  }

  private static func isCapital(_ byte: UInt8) -> Bool { (65...90).contains(byte) || byte == UInt8(ascii: "-") }

  /// Whether a byte may stand in a header's name (RFC 9110, section 5.6.2).
  private static func isTokenSign(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte | 32) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
  }

  private static func trimmedEnd(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == carriageReturn ? line.dropLast() : line
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = trimmedEnd(line).drop { $0 == space || $0 == tab }
    while line.last == space || line.last == tab { line.removeLast() }
    return line
  }

  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
  private static let space = UInt8(ascii: " ")
  private static let tab = UInt8(ascii: "\t")
}
