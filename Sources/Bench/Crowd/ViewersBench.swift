import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import NIOPosix
import Playlist

/// Many viewers of one stream at once: what the server carries, and how long after the first one the last one has each
/// part. The viewers are connections of this process.
package struct ViewersBench: Sendable {
  /// Local addresses, each for so many viewers: a server limits the connections of an address, and an address has only
  /// so many ports.
  private static let viewersPerAddress = 60

  private let url: URL
  private let way: CrowdWay
  private let count: Int
  private let length: Duration

  /// A bench of the stream at a media or multivariant playlist's address.
  package init(url: URL, way: CrowdWay, count: Int, length: Duration) {
    (self.url, self.way, self.count, self.length) = (url, way, count, length)
  }

  /// How far it is.
  package struct Progress: Sendable {
    /// Viewers with a connection.
    package let connected: Int
    /// Since all are connected; `nil` before.
    package let elapsed: Duration?
    /// What went wrong so far.
    package let mistakes: Int
  }

  /// Connects all viewers, watches, and ends.
  ///
  /// - Parameters:
  ///   - server: the server, if it is a child of this program: its processor time and memory are read.
  ///   - onProgress: called about once a second.
  /// - Throws: `BenchFailure` if there is no stream at the address.
  package func run(server: ServerProcess? = nil, onProgress: (Progress) -> Void) async throws -> CrowdResult {
    guard url.scheme == "http", let host = url.host(), let path = try await mediaPath() else {
      throw BenchFailure("there is no HLS stream at \(url.absoluteString); give the address of a playlist by http://")
    }
    let port = url.port ?? 80
    let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
    let group = MultiThreadedEventLoopGroup.singleton
    let loops = Array(group.makeIterator())
    let boxes = loops.map { NIOLoopBoundBox.makeBoxSendingValue(CrowdTally(), eventLoop: $0) }
    var channels: [any Channel] = []
    let began = ContinuousClock.now
    // The viewers come within a tenth of the time, so that joining does not measure itself.
    let pause = (length / 10) / max(1, count)
    var refusedConnections = 0
    for number in 0..<count {
      do {
        channels.append(
          try await connect(number, to: address, host: "\(host):\(port)", path: path, box: boxes[number % boxes.count]))
      } catch {
        refusedConnections += 1
        if refusedConnections > 100 { break }
      }
      if number % 64 == 0 {
        onProgress(Progress(connected: channels.count, elapsed: nil, mistakes: refusedConnections))
        try await Task.sleep(until: began + pause * number, clock: .continuous)
      }
    }
    let start = ContinuousClock.now
    let (before, cpu) = (try await tally(of: boxes), server?.processorTime)
    while ContinuousClock.now - start < length {
      try await Task.sleep(for: .seconds(1))
      let now = try await tally(of: boxes)
      onProgress(
        Progress(
          connected: now.connected, elapsed: ContinuousClock.now - start,
          mistakes: now.mistakes.values.reduce(0, +) + refusedConnections))
    }
    let after = try await tally(of: boxes)
    var result = CrowdResult(
      way: way, asked: count, before: before, after: after, refusedConnections: refusedConnections,
      elapsed: ContinuousClock.now - start)
    if let cpu, let now = server?.processorTime { result.server = (now - cpu, server?.peakKiB ?? 0) }
    for channel in channels { channel.close(promise: nil) }
    return result
  }

  private func connect(
    _ number: Int, to address: SocketAddress, host: String, path: String, box: NIOLoopBoundBox<CrowdTally>
  ) async throws -> any Channel {
    var bootstrap = ClientBootstrap(group: box.eventLoop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(20))
      .channelInitializer { [way] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(CrowdConnection(way, host: host, path: path, tally: box))
        }
      }
    if address.ipAddress?.hasPrefix("127.") == true {
      let place = 1 + number / Self.viewersPerAddress
      let source = "127.0.\(place / 250).\(1 + place % 250)"
      bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0))
    }
    return try await bootstrap.connect(to: address).get()
  }

  private func tally(of boxes: [NIOLoopBoundBox<CrowdTally>]) async throws -> CrowdTally {
    var sum = CrowdTally()
    for box in boxes { sum.add(try await box.eventLoop.submit { box.value }.get()) }
    return sum
  }

  /// The path of the media playlist; `nil` where there is no playlist.
  private func mediaPath() async throws -> String? {
    let answer = try await HTTPClient.shared.execute(HTTPClientRequest(url: url.absoluteString), timeout: .seconds(20))
    guard answer.status == .ok else { return nil }
    let body = try await answer.body.collect(upTo: 1 << 20)
    let path = url.path(percentEncoded: true) + (url.query(percentEncoded: true).map { "?\($0)" } ?? "")
    if let variant = try? MultivariantPlaylist.parse(body).variants.first { return resolve(variant.uri, from: path) }
    return (try? MediaPlaylist.parse(body)) == nil ? nil : path
  }
}
