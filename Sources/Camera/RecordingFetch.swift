import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import NIOSSL

/// Requests what a camera has shown lately from a server's private address.
package struct RecordingFetch: Sendable {
  /// What the server answered.
  package struct Recording: Sendable {
    /// The init segment and whole segments, one after another.
    package let bytes: ByteBuffer
    /// The settings that it was made with, as JSON, if the server says so.
    package let settings: String?
  }

  /// The header with the settings that a recording was made with.
  package static let settingsHeader = "Quietcam-Loop-Settings"
  /// The largest recording that is accepted, in bytes.
  static let largest = 512 << 20

  private let url: String
  private let token: String?
  private let trust: PushTarget.Trust

  /// A request for the last `length` of a camera.
  ///
  /// - Parameters:
  ///   - server: the private address, `http://127.0.0.1:8081`.
  ///   - token: the operator's.
  /// - Throws: `PushError` if the address is not HTTP.
  package init(
    server: String, camera: CameraName, length: Ticks, token: String?, trust: PushTarget.Trust
  ) throws(PushError) {
    guard let parts = URLComponents(string: server), ["http", "https"].contains(parts.scheme),
      parts.host?.isEmpty == false
    else { throw PushError("'\(server)' is no address of a server; write http://HOST:PORT") }
    guard token?.utf8.allSatisfy({ (33...126).contains($0) }) ?? true else {
      throw PushError("the operator's token has a space or another character that no header takes; copy it again")
    }
    let base = server.hasSuffix("/") ? String(server.dropLast()) : server
    let seconds = (length.count + Ticks.perSecond - 1) / Ticks.perSecond
    url = "\(base)/cameras/\(camera)/recent.mp4?for=\(seconds)"
    self.token = token
    self.trust = trust
  }

  /// Fetches it.
  ///
  /// - Parameter progress: gets the number of bytes so far.
  /// - Throws: `PushError` with advice.
  package func fetch(progress: (Int) -> Void) async throws -> Recording {
    var tls = TLSConfiguration.makeClientConfiguration()
    switch trust {
    case .system: break
    case .file(let path):
      tls.trustRoots = .file(path)
      // The file says which certificate is trusted; the name in it is usually that of the public host.
      tls.certificateVerification = .noHostnameVerification
    case .anyone: tls.certificateVerification = .none
    }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: tls, redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: .seconds(30), write: .seconds(30)))
    configuration.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let recording = try await fetch(with: client, progress: progress)
      try? await client.shutdown()
      return recording
    } catch {
      try? await client.shutdown()
      if let error = error as? PushError { throw error }
      if error is CancellationError || Task.isCancelled { throw CancellationError() }
      throw PushError(
        "cannot get the recording from \(url): \(error); is `quietcam serve` running there? --server gives its address")
    }
  }

  private func fetch(with client: HTTPClient, progress: (Int) -> Void) async throws -> Recording {
    var request = HTTPClientRequest(url: url)
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    let response = try await client.execute(request, deadline: .now() + .minutes(10))
    var bytes = ByteBuffer()
    for try await var chunk in response.body {
      guard bytes.readableBytes + chunk.readableBytes <= Self.largest else {
        throw PushError("the recording from \(url) is over \(Self.largest) bytes; record for a shorter time")
      }
      bytes.writeBuffer(&chunk)
      progress(bytes.readableBytes)
    }
    guard response.status == .ok else { throw refusal(response.status, bytes) }
    return Recording(bytes: bytes, settings: response.headers.first(name: Self.settingsHeader))
  }

  private func refusal(_ status: HTTPResponseStatus, _ body: ByteBuffer) -> PushError {
    let said = String(decoding: body.readableBytesView.prefix(300), as: UTF8.self)
      .filter { !$0.isNewline && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
    let advice =
      switch status {
      case .unauthorized, .forbidden:
        "give the server's --operator-token, or its own --store, where that token is if serve made it"
      case .notFound where !said.isEmpty: "follow its message"
      case .notFound: "check that this is the private address, of a server of this version"
      default: "read the server's log"
      }
    return PushError("\(url) answered \(status.code)\(said.isEmpty ? "" : " (\(said))"); \(advice)")
  }
}
