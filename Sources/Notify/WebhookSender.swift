import AsyncHTTPClient
import Media
import NIOCore
import NIOHTTP1

/// Sends one message and says what came of it. It waits for the head of the answer alone, for ten seconds at most.
package final class WebhookSender: Sendable {
  /// What came of a message, and one line about it.
  package struct Result: Sendable {
    /// What the queue does about it.
    package let outcome: NoticeQueue.Outcome
    /// For people, without the path of the address.
    package let words: String
  }

  private static let patience = TimeAmount.seconds(10)
  private let client: HTTPClient

  /// A sender with connections of its own; `close` ends them.
  package init() {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: Self.patience, write: Self.patience))
    // The queue tries again; the pool's own tries are not seen.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Ends all connections.
  package func close() async { try? await client.shutdown() }

  /// Sends a message with POST.
  ///
  /// - Parameter time: of this try, for the signature.
  package func send(
    _ attempt: NoticeQueue.Attempt, to address: WebhookAddress, signature: WebhookSignature, time: WallTime
  ) async -> Result {
    var request = HTTPClientRequest(url: address.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: "quietcam")
    for field in signature.fields(id: attempt.id, time: time, body: attempt.body) {
      request.headers.add(name: field.name, value: field.value)
    }
    request.body = .bytes(ByteBuffer(bytes: attempt.body))
    do {
      // The body of the answer is not read: letting go of it ends the connection.
      let response = try await client.execute(request, timeout: Self.patience)
      return Self.result(Int(response.status.code), retryAfter: response.headers.first(name: "Retry-After"))
    } catch {
      return Result(outcome: .failed(after: nil), words: Self.words(error))
    }
  }

  /// What an answer means (RFC 9110, section 15).
  static func result(_ status: Int, retryAfter: String?) -> Result {
    switch status {
    case 200..<300: Result(outcome: .taken, words: "it was taken (\(status))")
    case 300..<400:
      Result(
        outcome: .failed(after: nil),
        words: "it leads to another address (\(status)), which is not followed; write that one into notify")
    case 400, 405, 410, 413, 415, 422: Result(outcome: .refused, words: "it was refused (\(status))")
    default:
      Result(
        outcome: .failed(after: retryAfter.flatMap { Ticks(seconds: $0) }), words: "the receiver answers \(status)")
    }
  }

  private static func words(_ error: any Error) -> String {
    let text = "\(error)"
    for (sign, words) in troubles where text.contains(sign) { return words }
    return String(text.prefix { !$0.isNewline }.prefix(120))
  }

  private static let troubles = [
    ("CERTIFICATE_VERIFY_FAILED", "the certificate is not trusted"), ("Connection refused", "connection refused"),
    ("connectTimeout", "no connection within 5 s"), ("deadlineExceeded", "no answer within 10 s"),
    ("readTimeout", "no answer within 10 s"), ("remoteConnectionClosed", "the receiver closed the connection"),
    ("Connection reset", "the connection was reset"), ("No route to host", "no route to the host"),
    ("Network is unreachable", "the network is unreachable"), ("DNS error", "the host's name is not known"),
  ]
}
