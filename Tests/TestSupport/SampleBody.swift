/// A request's body as some camera might send it, with what its head says.
package struct SampleBody: Sendable {
  /// The `Content-Type`, if there is one.
  package var contentType: String?
  /// Whether the head says a length.
  package var hasLength: Bool
  /// The body.
  package var bytes: [UInt8]

  /// A body of any kind that carries one or some of `pictures`, in one of the ways that cameras have.
  package init(carrying pictures: [[UInt8]], using random: inout SeededGenerator) {
    let picture = pictures.randomElement(using: &random) ?? []
    hasLength = Bool.random(using: &random)
    switch Int.random(in: 0..<7, using: &random) {
    case 0:
      contentType = [nil, "image/jpeg", "image/jpg", "application/octet-stream"].randomElement(using: &random) ?? nil
      bytes = picture
    case 1:
      contentType = nil
      hasLength = false
      bytes = []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes += pictures.randomElement(using: &random) ?? []
        if Bool.random(using: &random) { bytes += [0x0D, 0x0A] }
      }
    case 2: (contentType, bytes) = Self.form(picture, using: &random)
    case 3:
      hasLength = false
      (contentType, bytes) = Self.stream(pictures, using: &random)
    case 4: (contentType, bytes) = Self.text(picture, using: &random)
    case 5:
      hasLength = false
      (contentType, bytes) = Self.oddStream(pictures, using: &random)
    default: (contentType, bytes) = Self.json(picture, using: &random)
    }
  }

  /// Base64 by itself, as a `data:` URL, or in a form.
  private static func text(_ picture: [UInt8], using random: inout SeededGenerator) -> (String?, [UInt8]) {
    var text = base64(picture)
    if Bool.random(using: &random) { text = "data:image/jpeg;base64," + text }
    switch Int.random(in: 0..<3, using: &random) {
    case 0: return (Bool.random(using: &random) ? nil : "text/plain", Array(text.utf8))
    case 1:
      text = text.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "%2F")
      return ("application/x-www-form-urlencoded", Array("camera=desk&image=\(text)&n=1".utf8))
    default:
      let head = "--b\r\nContent-Disposition: form-data; name=image\r\n\r\n"
      return ("multipart/form-data; boundary=b", Array("\(head)\(text)\r\n--b--\r\n".utf8))
    }
  }

  /// A stream whose parts are divided as no specification has it.
  private static func oddStream(_ pictures: [[UInt8]], using random: inout SeededGenerator) -> (String?, [UInt8]) {
    let head = "Content-Type: image/jpeg\r\n\r\n"
    let (before, after) =
      [
        ("x\r\n" + head, "\r\n"), ("--x" + head, "\r\n"), (head, "\r\n--x\r\n"), ("--x\r\n" + head, ""),
        ("--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x\r\n" + head, "\r\n"),
        ("--x\r\nHTTP/1.0 200 OK\r\n" + head, "\r\n"), ("", "\r\n"),
      ].randomElement(using: &random)!
    var bytes: [UInt8] = Bool.random(using: &random) ? [] : Array("a preamble\r\n".utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      bytes += Array(before.utf8) + (pictures.randomElement(using: &random) ?? []) + Array(after.utf8)
    }
    return ("multipart/x-mixed-replace;boundary=x", bytes)
  }

  private static func form(_ picture: [UInt8], using random: inout SeededGenerator) -> (String, [UInt8]) {
    let boundary = ["----x7MA4YWxkTrZu0gW", "b", "foo_bar=1"].randomElement(using: &random)!
    let isQuoted = Bool.random(using: &random)
    let newLine = Int.random(in: 0..<6, using: &random) == 0 ? "\n" : "\r\n"
    var bytes = Array((Bool.random(using: &random) ? "" : "a preamble\(newLine)").utf8)
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      bytes += Array(
        ("--\(boundary)\(newLine)Content-Disposition: form-data; name=\"event\"\(newLine)"
          + "Content-Type: application/xml\(newLine)\(newLine)<EventNotificationAlert/>\(newLine)").utf8)
    }
    bytes += Array(
      ("--\(boundary)\(newLine)Content-Disposition: form-data; name=imageFile; filename=\"a.jpg\"\(newLine)"
        + "Content-Type: image/jpeg\(newLine)\(newLine)").utf8)
    bytes += picture
    bytes += Array("\(newLine)--\(boundary)--\(newLine)".utf8)
    if Bool.random(using: &random) { bytes += Array("an epilogue".utf8) }
    return ("multipart/form-data; boundary=" + (isQuoted ? "\"\(boundary)\"" : boundary), bytes)
  }

  private static func stream(_ pictures: [[UInt8]], using random: inout SeededGenerator) -> (String?, [UInt8]) {
    let hasLengths = Bool.random(using: &random)
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let picture = pictures.randomElement(using: &random) ?? []
      bytes += Array("--ffmpeg\r\nContent-type: image/jpeg\r\n".utf8)
      if hasLengths { bytes += Array("Content-length: \(picture.count)\r\n".utf8) }
      bytes += Array("\r\n".utf8) + picture + Array("\r\n".utf8)
    }
    return (Bool.random(using: &random) ? nil : "multipart/x-mixed-replace;boundary=ffmpeg", bytes)
  }

  private static func json(_ picture: [UInt8], using random: inout SeededGenerator) -> (String?, [UInt8]) {
    var text = base64(picture)
    switch Int.random(in: 0..<4, using: &random) {
    case 0: text = "data:image/jpeg;base64," + text
    case 1: text = text.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")
    case 2: text = text.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "\\u002B")
    default: break
    }
    return (
      Bool.random(using: &random) ? "application/json" : nil,
      Array("{\"camera\": \"desk\", \"at\": 12.5, \"list\": [\"\\\"\", \"\"], \"image\": \"\(text)\"}\n".utf8)
    )
  }

  /// Base64 with padding (RFC 4648, section 4).
  package static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for place in 0..<4 { text.append(place <= group.count ? alphabet[value >> (18 - 6 * place) & 63] : "=") }
    }
    return text
  }

  /// What damages bodies like these.
  package static let mutation = Mutation(
    tokens: Mutation.jpeg.tokens
      + [
        "\r\n", "\n", "\r", "--", "--ffmpeg", "\r\n--ffmpeg\r\n", "\r\n--b--", "\r\n\r\n", "Content-Disposition:", "\"",
        "\\", "\\u", "\\u002f", "{", "\"/9j/", "data:image/jpeg;base64,", "data:", "=", ";", ":", " ", "\t", "name=\"",
      ].map { Array($0.utf8) }, front: 200)
}
