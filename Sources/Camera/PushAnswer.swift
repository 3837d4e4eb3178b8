import Foundation
import Media
import NIOCore

/// What a server's answer to one still means for the pusher.
package enum PushAnswer: Hashable, Sendable {
  /// The still was accepted; the server may advise another interval.
  case taken(interval: Ticks?)
  /// This still will never be accepted; the next one may be. With the server's message.
  case refused(String)
  /// The address or the token is wrong: no still will be accepted.
  case denied(String)
  /// Not now; try again, not before the time that the server asks for.
  case retry(String, after: Ticks?)

  /// The most of an answer's body that is read, in bytes.
  package static let bodyLimit = 65_536

  /// Reads an answer.
  ///
  /// - Parameters:
  ///   - status: the HTTP status code.
  ///   - retryAfter: the value of Retry-After; only its form in seconds is read (RFC 9110, section 10.2.3).
  ///   - body: the body, JSON or text.
  package init(status: Int, retryAfter: String?, body: ByteBuffer) {
    let words = Self.words(status: status, body: body)
    switch status {
    case 200..<300: self = .taken(interval: Self.advice(body))
    case 401, 403: self = .denied("\(words); check the token (--token) of this camera")
    case 404, 300..<400: self = .denied("\(words); check the address (--to): its path is /ingest/CAMERA")
    case 408, 425, 429, 500...: self = .retry(words, after: Self.seconds(retryAfter))
    default: self = .refused(words)
    }
  }

  private struct Body: Decodable {
    var detail: String?
    var message: String?
    var error: String?
    var reason: String?
    var interval_ms: Int64?

    static func read(_ buffer: ByteBuffer) -> Body? {
      try? JSONDecoder().decode(Body.self, from: Data(buffer.readableBytesView))
    }
  }

  /// The status with the server's message, on one line without control characters, for a terminal.
  private static func words(status: Int, body: ByteBuffer) -> String {
    let answer = Body.read(body)
    let text = answer?.detail ?? answer?.message ?? answer?.error ?? answer?.reason ?? String(buffer: body)
    let line = text.split(whereSeparator: \.isNewline).first ?? ""
    let isPlain = answer != nil || !line.hasPrefix("<")  // The first line of a proxy's HTML page says nothing.
    let clean = line.unicodeScalars.filter { $0.value >= 32 && !(127..<160).contains($0.value) }.prefix(200)
    return isPlain && !clean.isEmpty ? "\(status): \(String(String.UnicodeScalarView(clean)))" : "answer \(status)"
  }

  private static func advice(_ body: ByteBuffer) -> Ticks? {
    guard let interval = Body.read(body)?.interval_ms, (1...86_400_000).contains(interval) else { return nil }
    return .milliseconds(interval)
  }

  private static func seconds(_ text: String?) -> Ticks? {
    guard let text, let seconds = Int64(text.filter { $0 != " " }), (0...1_000_000).contains(seconds) else {
      return nil
    }
    return .seconds(seconds)
  }
}
