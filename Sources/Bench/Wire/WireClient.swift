import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypesHTTP1
import NIOHTTPTypesHTTP2
import NIOPosix
import NIOSSL

/// A browser's connections to one server, with every byte of them counted: HTTP/1.1 connections that are kept alive and
/// reused, or one of HTTP/2 in TLS.
actor WireClient {
  /// Where a server is.
  struct Endpoint: Sendable {
    let port: Int
    /// With a context, HTTP/2 in TLS; otherwise HTTP/1.1.
    let tls: NIOSSLContext?
  }

  private let endpoint: Endpoint
  private let headers: RequestHeaders
  nonisolated let tally: WireTally
  private nonisolated let group: any EventLoopGroup
  private var idle: [any Channel] = []
  private var channels: [any Channel] = []
  private var multiplexer: Task<NIOHTTP2Handler.StreamMultiplexer, any Error>?
  private var isClosed = false

  /// A browser that shows the page at `referrer`; with `nil`, one that sends no referrer.
  init(endpoint: Endpoint, referrer: String?, tally: WireTally, group: any EventLoopGroup) {
    self.endpoint = endpoint
    self.tally = tally
    self.group = group
    headers = RequestHeaders(
      authority: "127.0.0.1:\(endpoint.port)", referrer: referrer, isHTTP2: endpoint.tls != nil)
  }

  /// The local ports of its connections; `nil` once one of them is closed, because then only the counts know its bytes.
  var ports: [Int]? {
    channels.allSatisfy(\.isActive) ? channels.compactMap { $0.localAddress?.port } : nil
  }

  /// Sends a request and waits for the whole answer.
  ///
  /// - Throws: `WireError`, or what the socket says.
  func get(
    _ path: String, _ kind: BodyKind, by initiator: RequestHeaders.Initiator, extra: [(String, String)] = [],
    onBody: (@Sendable (ByteBuffer) -> Void)? = nil
  ) async throws -> WireAnswer {
    try Task.checkCancellation()
    let channel = try await channel()
    let promise = channel.eventLoop.makePromise(of: WireAnswer.self)
    let ask = WireAsk(
      request: headers.request(path, by: initiator, extra: extra), kind: kind, promise: promise, onBody: onBody)
    channel.writeAndFlush(ask).cascadeFailure(to: promise)
    let answer = try await promise.futureResult.get()
    if endpoint.tls == nil {
      if isClosed { channel.close(promise: nil) } else { idle.append(channel) }
    }
    return answer
  }

  /// Ends all connections and their requests.
  func close() async {
    isClosed = true
    multiplexer?.cancel()
    for channel in channels { try? await channel.close() }
  }

  private func channel() async throws -> any Channel {
    if endpoint.tls != nil { return try await stream() }
    while let channel = idle.popLast() { if channel.isActive { return channel } }
    let tally = tally
    let channel = try await bootstrap().connect(host: "127.0.0.1", port: endpoint.port) { channel in
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(WireCounter(.bare, tally: tally))
        try pipeline.addHTTPClientHandlers()
        try pipeline.addHandler(HTTP1ToHTTPClientCodec())
        try pipeline.addHandler(WireExchangeHandler(tally: tally))
        return channel
      }
    }
    return try keep(channel)
  }

  private func keep(_ channel: any Channel) throws -> any Channel {
    guard !isClosed else {
      channel.close(promise: nil)
      throw CancellationError()
    }
    channels.append(channel)
    return channel
  }

  private func stream() async throws -> any Channel {
    let connection = multiplexer ?? Task { try await connect() }
    multiplexer = connection
    let tally = tally
    do {
      return try await connection.value.createStreamChannel { stream in
        stream.eventLoop.makeCompletedFuture {
          try stream.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTPClientCodec())
          try stream.pipeline.syncOperations.addHandler(WireExchangeHandler(tally: tally))
        }
      }.get()
    } catch {
      if !isClosed { multiplexer = nil }
      throw error
    }
  }

  private func connect() async throws -> NIOHTTP2Handler.StreamMultiplexer {
    guard let tls = endpoint.tls else { preconditionFailure("HTTP/2 is spoken over TLS only") }
    let tally = tally
    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
    // Chromium's settings: large windows, so that few window updates are sent.
    configuration.initialSettings = [
      HTTP2Setting(parameter: .headerTableSize, value: 65_536), HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: 6_291_456),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 262_144),
    ]
    var streams = NIOHTTP2Handler.StreamConfiguration()
    streams.targetWindowSize = 6_291_456
    let (settings, windows) = (configuration, streams)
    let (channel, multiplexer) = try await bootstrap().connect(host: "127.0.0.1", port: endpoint.port) { channel in
      channel.eventLoop.makeCompletedFuture {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(WireCounter(.socket, tally: tally))
        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil))
        try pipeline.addHandler(WireCounter(.frames, tally: tally))
        let multiplexer = try pipeline.configureHTTP2Pipeline(
          mode: .client, connectionConfiguration: settings, streamConfiguration: windows,
          inboundStreamInitializer: { $0.eventLoop.makeSucceededVoidFuture() })
        return (channel, multiplexer)
      }
    }
    _ = try keep(channel)
    return multiplexer
  }

  private nonisolated func bootstrap() -> ClientBootstrap {
    ClientBootstrap(group: group).channelOption(.socketOption(.tcp_nodelay), value: 1)
  }
}
