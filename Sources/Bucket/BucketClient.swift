import AsyncHTTPClient
import Media
import NIOCore
import NIOHTTP1

/// Sends single requests to a bucket and says what came of them. Nothing is tried again here.
package final class BucketClient: Sendable {
  /// How long a request may take, from the connection to the end of the answer.
  private static let patience = TimeAmount.seconds(20)

  private let settings: BucketSettings
  private let signer: RequestSigner
  private let client: HTTPClient
  private let wall: @Sendable () -> WallTime

  /// A client with connections of its own; `close` ends them.
  package init(_ settings: BucketSettings, wall: @escaping @Sendable () -> WallTime) {
    self.settings = settings
    self.wall = wall
    signer = RequestSigner(key: settings.key, region: settings.region)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(5), read: .seconds(10), write: .seconds(10)))
    // The copier tries again; the pool's own tries are not seen.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = BucketCopier.mostAtOnce
    configuration.httpVersion = .http1Only
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Ends all connections.
  package func close() async { try? await client.shutdown() }

  /// Writes an object.
  package func put(
    _ key: String, _ body: ByteBuffer, type: String, caching: String
  ) async throws(BucketFault) {
    _ = try await send(
      "PUT", path: settings.path(ofKey: key), fields: [("content-type", type), ("cache-control", caching)], body: body)
  }

  /// Removes an object; one that is not there is removed already.
  package func delete(_ key: String) async throws(BucketFault) {
    do {
      _ = try await send("DELETE", path: settings.path(ofKey: key))
    } catch {
      if error.kind != .missing { throw error }
    }
  }

  /// Reads an object of at most `BucketAnswer.mostBytes`; `nil` if there is none.
  package func get(_ key: String) async throws(BucketFault) -> ByteBuffer? {
    do {
      return try await send("GET", path: settings.path(ofKey: key))
    } catch {
      if error.kind == .missing { return nil }
      throw error
    }
  }

  /// The objects whose keys begin with this text: 20,000 at most.
  package func list(prefix: String) async throws(BucketFault) -> [(key: String, bytes: Int)] {
    var (found, next) = ([(key: String, bytes: Int)](), String?.none)
    for _ in 0..<20 {
      var query: [(name: String, value: String)] = [("list-type", "2"), ("prefix", prefix)]
      if let next { query.append(("continuation-token", next)) }
      let answer = BucketAnswer(try await send("GET", path: settings.root, query: query))
      found += answer.objects.filter { $0.key.hasPrefix(prefix) }
      next = answer.continuation
      if next == nil { break }
    }
    return found
  }

  private func send(
    _ method: String, path: String, query: [(name: String, value: String)] = [],
    fields: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()
  ) async throws(BucketFault) -> ByteBuffer {
    let hash = RequestSigner.hash(body.readableBytesView)
    let time = RequestSigner.time(wall())
    let signed =
      [("host", settings.host), ("x-amz-content-sha256", hash), ("x-amz-date", time)] + fields
    let authorization = signer.authorization(
      RequestSigner.Request(method: method, path: path, query: query, fields: signed, bodyHash: hash), time: time)
    let text = RequestSigner.canonicalQuery(query)
    var request = HTTPClientRequest(
      url: "\(settings.endpoint.scheme)://\(settings.host)\(path)" + (text.isEmpty ? "" : "?\(text)"))
    request.method = HTTPMethod(rawValue: method)
    for field in signed { request.headers.add(name: field.0, value: field.1) }
    request.headers.add(name: "authorization", value: authorization)
    request.headers.add(name: "user-agent", value: "quietcam/\(ProgramVersion.text)")
    if method == "PUT" { request.body = .bytes(body) }
    let (status, headers, answer): (Int, HTTPHeaders, ByteBuffer)
    do {
      let response = try await client.execute(request, timeout: Self.patience)
      (status, headers) = (Int(response.status.code), response.headers)
      var bytes = ByteBuffer()
      for try await piece in response.body {
        bytes.writeImmutableBuffer(piece)
        if bytes.readableBytes > BucketAnswer.mostBytes { break }
      }
      answer = bytes
    } catch {
      throw .unreachable(Self.words(error), at: settings)
    }
    if (200..<300).contains(status) { return answer }
    throw .answer(
      status, body: answer, region: headers.first(name: "x-amz-bucket-region"),
      serverTime: headers.first(name: "date"), settings: settings, now: wall())
  }

  private static func words(_ error: any Error) -> String {
    let text = "\(error)"
    for (sign, words) in troubles where text.contains(sign) { return words }
    return String(text.prefix { !$0.isNewline }.prefix(120))
  }

  private static let troubles = [
    (
      "CERTIFICATE_VERIFY_FAILED",
      "its certificate is not trusted; give the host that it is for, or trust its authority"
    ),
    ("Connection refused", "connection refused"), ("connectTimeout", "no connection within 5 s"),
    ("deadlineExceeded", "no answer within 20 s"), ("readTimeout", "no answer within 10 s"),
    ("writeTimeout", "it takes no bytes for 10 s"), ("remoteConnectionClosed", "it closed the connection"),
    ("Connection reset", "the connection was reset"), ("No route to host", "no route to the host"),
    ("Network is unreachable", "the network is unreachable"), ("DNS error", "the host's name is not known"),
    ("NIOConnectionError", "no connection"),
  ]
}
