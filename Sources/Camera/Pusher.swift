import AsyncHTTPClient
import Foundation
import Logging
import Media
import NIOCore
import NIOHTTP1
import NIOSSL
import ServiceLifecycle
import Synchronization

/// Where stills go.
package struct PushTarget: Sendable {
  /// The address: `http://127.0.0.1:8081/ingest/desk`.
  package let url: String
  /// The camera's token; empty sends none.
  package let token: String
  /// Whether the interval that the server advises replaces the own one.
  package let followsAdvice: Bool
  /// The camera's name, for the status line.
  package let name: String
  /// Which certificates are accepted.
  package let trust: Trust

  /// The certificate that an `https` address must have.
  package enum Trust: Hashable, Sendable {
    /// One that the system trusts.
    case system
    /// One that is signed by a certificate in this PEM file, or is in it.
    case file(String)
    /// Any: only for a server in the same process.
    case anyone
  }

  /// A target.
  ///
  /// - Throws: `PushError` if the address is not HTTP, has no path, or the token cannot be sent in a header.
  package init(url: String, token: String, followsAdvice: Bool = false, trust: Trust = .system) throws {
    guard let parts = URLComponents(string: url), ["http", "https"].contains(parts.scheme), parts.host?.isEmpty == false
    else { throw PushError("'\(url)' is no address for stills; write http://HOST:PORT/ingest/CAMERA") }
    guard let last = parts.path.split(separator: "/").last else {
      throw PushError("the address \(url) names no camera; write http://HOST:PORT/ingest/CAMERA")
    }
    guard token.utf8.allSatisfy({ (33...126).contains($0) }) else {
      throw PushError("the token has a space or another character that no header takes; copy it again")
    }
    self.url = url
    self.token = token
    self.followsAdvice = followsAdvice
    self.trust = trust
    name = String(last)
  }
}

/// Pushes the stills of a source to a server, at a steady interval, until the source ends or the task is cancelled.
///
/// There is never a queue: stills that a slow or dead server misses are left out, and a retry sends the newest still.
package struct Pusher: Service {
  private let source: any StillSource
  private let target: PushTarget
  private let every: Ticks
  private let status: StatusLine
  private let logger: Logger

  /// A pusher of one still for each `every`.
  package init(
    source: some StillSource, target: PushTarget, every: Ticks, status: StatusLine = .standardError(),
    logger: Logger = Logger(label: "push")
  ) {
    self.source = source
    self.target = target
    self.every = every
    self.status = status
    self.logger = logger
  }

  /// Pushes until the source ends, the task is cancelled or the service group shuts down.
  ///
  /// - Throws: `PushError` if the server refuses the camera from the start, or the error that ended the source.
  package func run() async throws {
    _ = try await cancelWhenGracefulShutdown { try await push() }
  }

  /// Pushes until the source ends or the task is cancelled; neither is an error.
  ///
  /// - Returns: what was done.
  /// - Throws: `PushError` if the server refuses the camera from the start, or the error that ended the source.
  package func push() async throws -> PushReport {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: .seconds(30), write: .seconds(30)))
    // This backoff reports what it does; the pool's does not.
    configuration.connectionPool.retryConnectionEstablishment = false
    var tls = TLSConfiguration.makeClientConfiguration()
    switch target.trust {
    case .system: break
    case .file(let path): tls.trustRoots = .file(path)
    case .anyone: tls.certificateVerification = .none
    }
    configuration.tlsConfiguration = tls
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    var run = PushRun(target: target, every: every, status: status, logger: logger, client: client)
    let result: Result<Void, any Error>
    do {
      try await withTaskCancellationHandler {
        try await run.loop(source)
      } onCancel: {
        source.stop()
      }
      result = .success(())
    } catch { result = .failure(error) }
    source.stop()
    run.finish()
    try? await client.shutdown()
    do { try result.get() } catch  where error is CancellationError || Task.isCancelled {}
    return run.report
  }
}

/// One run of a pusher: connects Rhythm, Backoff, PushAnswer and PushReport.
struct PushRun {
  let target: PushTarget
  let logger: Logger
  let client: HTTPClient
  var status: StatusLine
  var report: PushReport
  private var rhythm: Rhythm
  private var backoff = Backoff()
  private var pending: (still: ByteBuffer, retryAt: Ticks)?
  private let origin = ContinuousClock.now

  init(target: PushTarget, every: Ticks, status: StatusLine, logger: Logger, client: HTTPClient) {
    self.target = target
    self.status = status
    self.logger = logger
    self.client = client
    report = PushReport(name: target.name, start: .zero)
    rhythm = Rhythm(every: every, start: .zero)
  }

  private var now: Ticks { Ticks(ContinuousClock.now - origin) }

  mutating func finish() { status.finish(report, at: now) }

  mutating func loop(_ source: any StillSource) async throws {
    while true {
      // A tick is rounded down; one more makes sure that the beat is due.
      try await ContinuousClock().sleep(until: origin + ((pending?.retryAt ?? rhythm.due) + Ticks(1)).duration)
      var isLast = false
      if let beat = rhythm.beat(at: now) {
        switch try await source.next(beat) {
        case .still(let still): pending = (still, now)
        case .nothing(let trouble): if let trouble { report.miss(trouble) }
        case .end: isLast = true
        }
      }
      try Task.checkCancellation()
      if let still = pending?.still { try await send(still) }
      status.show(report, at: now)
      if isLast { return }
    }
  }

  private mutating func send(_ still: ByteBuffer) async throws {
    let begin = now
    let (code, answer) = try await post(still)
    switch answer {
    case .taken(let interval):
      report.take(bytes: still.readableBytes, status: code, latency: now - begin, at: now)
      pending = nil
      backoff.reset()
      if target.followsAdvice, let interval { rhythm.change(every: interval, at: now) }
    case .refused(let reason):
      report.refuse(reason)
      logger.debug("the server refused a still", metadata: ["camera": "\(target.name)", "reason": "\(reason)"])
      pending = nil
      backoff.reset()
    case .denied(let reason):
      guard report.taken > 0 else { throw PushError("\(target.url) does not take stills: \(reason)") }
      retry(still, reason, after: nil)
    case .retry(let reason, let after): retry(still, reason, after: after)
    }
  }

  private mutating func retry(_ still: ByteBuffer, _ reason: String, after: Ticks?) {
    let wait = backoff.wait(asked: after, random: .random(in: 0...UInt32.max))
    report.fail(reason, wait: wait)
    pending = (still, now + wait)
  }

  /// Sends one still and reads the answer; a failed connection is an answer to try again.
  private func post(_ still: ByteBuffer) async throws -> (Int, PushAnswer) {
    var request = HTTPClientRequest(url: target.url)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "image/jpeg")
    if !target.token.isEmpty { request.headers.add(name: "Authorization", value: "Bearer \(target.token)") }
    request.body = .bytes(still)
    do {
      let response = try await client.execute(request, timeout: .seconds(30))
      let code = Int(response.status.code)
      // An answer that is too long to read is still an answer.
      let body = (try? await response.body.collect(upTo: PushAnswer.bodyLimit)) ?? ByteBuffer()
      return (code, PushAnswer(status: code, retryAfter: response.headers.first(name: "Retry-After"), body: body))
    } catch {
      try Task.checkCancellation()
      return (0, .retry(Self.words(error), after: nil))
    }
  }

  /// The name of a connection error, on one line.
  static func words(_ error: any Error) -> String {
    let text = "\(error)"
    for (sign, words) in troubles where text.contains(sign) { return words }
    return String(text.prefix { !$0.isNewline }.prefix(120))
  }

  /// The name of an untrusted certificate.
  static let untrusted = "the certificate is not trusted"

  private static let troubles = [
    ("CERTIFICATE_VERIFY_FAILED", untrusted), ("unableToValidateCertificate", untrusted),
    ("Connection refused", "connection refused"), ("connectTimeout", "no connection within 5 s"),
    ("deadlineExceeded", "no answer within 30 s"), ("readTimeout", "no answer within 30 s"),
    ("remoteConnectionClosed", "the server closed the connection"), ("Connection reset", "the connection was reset"),
    ("No route to host", "no route to the host"), ("Network is unreachable", "the network is unreachable"),
    ("DNS error", "the host's name is not known"),
  ]
}
