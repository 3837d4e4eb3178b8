import NIOCore
import NIOPosix

/// Viewers of some cameras of a fleet, one of each way of watching, whose bytes are counted.
struct FleetCrowds {
  private static let ways: [(way: CrowdWay, name: String)] = [
    (.frames, "with the element"), (.lowLatency, "with low-latency HLS"),
  ]

  private let tallies: [(name: String, way: CrowdWay, box: NIOLoopBoundBox<CrowdTally>)]

  init(loops: [any EventLoop]) {
    tallies = Self.ways.enumerated().map { index, entry in
      (
        entry.name, entry.way,
        .makeBoxSendingValue(CrowdTally(), eventLoop: loops[index % loops.count])
      )
    }
  }

  /// Connects the viewers of a camera.
  func connect(_ camera: String, at address: FleetAddress) async throws -> [any Channel] {
    var channels: [any Channel] = []
    for (_, way, box) in tallies {
      channels.append(
        try await ClientBootstrap(group: box.eventLoop)
          .channelOption(.tcpOption(.tcp_nodelay), value: 1)
          .connectTimeout(.seconds(20))
          .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.addHandler(
                CrowdConnection(way, host: "\(address)", path: "/\(camera)/live.m3u8", tally: box))
            }
          }
          .connect(host: address.host, port: address.port).get())
    }
    return channels
  }

  /// The bytes of a mean viewer so far, by the way of watching.
  func bytes() async throws -> [String: Int] {
    var bytes: [String: Int] = [:]
    for (name, _, box) in tallies {
      let tally = try await box.eventLoop.submit { box.value }.get()
      bytes[name] = tally.bytes / max(1, tally.connected)
    }
    return bytes
  }

  /// What went wrong.
  func mistakes() async throws -> [String: Int] {
    var mistakes: [String: Int] = [:]
    for (_, _, box) in tallies {
      mistakes.merge(try await box.eventLoop.submit { box.value.mistakes }.get(), uniquingKeysWith: +)
    }
    return mistakes
  }
}
