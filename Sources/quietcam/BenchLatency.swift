import ArgumentParser
import Bench
import Foundation
import Logging
import Media
import Picture

extension Bench {
  /// `quietcam bench latency`.
  struct Latency: AsyncParsableCommand {
    enum Browsers: String, CaseIterable, ExpressibleByArgument {
      case none, chromium, firefox, all
    }

    static let configuration = CommandConfiguration(
      abstract: "Time from the push of a still until a viewer has it, for low-latency HLS and other ways.",
      discussion: """
        URL is a camera's multivariant playlist; its stills are pushed to --push with --token. Without URL a server is \
        started for the measurement. Stills show their own time, which is read back: by a client that follows the \
        parts, by one that polls, by one that listens to events, and in browsers from the screen, from Quietcam's element among \
        others. A clock that follows a steady camera takes minutes to get there: --settle 7m.
        """)

    @Argument(help: ArgumentHelp("A stream such as http://HOST/CAMERA/index.m3u8.", valueName: "url")) var url: String?
    @Option(help: ArgumentHelp("The ingest address of that camera.", valueName: "url")) var push: String?
    @Option(help: ArgumentHelp("The camera's token.", valueName: "secret")) var token: String?
    @Option(name: .customLong("for"), help: ArgumentHelp("How long: 90s, 5m.", valueName: "duration"))
    var length = Length(ticks: .seconds(30))
    @Option(help: ArgumentHelp("The time between stills.", valueName: "seconds")) var every: Pace = "2s"
    @Option(help: ArgumentHelp("When the next still is pushed.", valueName: "how")) var timing = LatencyPusher.Timing
      .random
    @Option(help: ArgumentHelp("How long what is seen at first does not count.", valueName: "duration"))
    var settle = Length(ticks: .zero)
    @Option(help: ArgumentHelp("The part target of the started server.", valueName: "seconds")) var part: Pace = "2s"
    @Flag(help: "Let the started server's camera be one that can be veiled: its parts wait for the publish offset.")
    var veil = false
    @Option(help: ArgumentHelp("Which browsers to measure in.", valueName: "name")) var browser = Browsers.none
    @Option(help: ArgumentHelp("Parts that the browsers' player stays behind live.", valueName: "number"))
    var behind: Double?
    @Option(help: ArgumentHelp("Another HLS stream of the same stills, for the browsers.", valueName: "url"))
    var other: String?
    @Flag(inversion: .prefixedNo, help: "Also measure ffmpeg's hls muxer with nginx, if both are installed.")
    var rival = true
    @Option(help: ArgumentHelp("Write the samples as JSON into this file.", valueName: "file")) var json: String?

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      guard url == nil else {
        guard let url, let push, let token else {
          throw ValidationError("with a URL, --push and --token must give its ingest address and token")
        }
        return try await measure(stream: url, ingest: push, token: token)
      }
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file; name a URL, --push and --token")
      }
      let settings = ["--part", part.ticks.secondsText] + (veil ? ["--veil-every", "43200..86400"] : [])
      try await endedBySignal {
        try await ServerProcess.running(program, settings: settings) { server in
          let stream = "http://127.0.0.1:\(server.publicPort)/\(ServerProcess.camera)/index.m3u8"
          // Its listeners are open before there is anything to see.
          for _ in 0..<100 where (try? Data(contentsOf: URL(string: stream)!)) == nil {
            try await Task.sleep(for: .milliseconds(100))
          }
          try await measure(
            stream: stream,
            ingest: "http://127.0.0.1:\(server.privatePort)/ingest/\(ServerProcess.camera)", token: ServerProcess.token)
        }
      }
    }

    /// Measures a stream, and pushes the stills that it is measured by.
    private func measure(stream: String, ingest: String, token: String) async throws {
      let wanted = LatencyBrowser.allCases.filter { browser == .all || browser.rawValue == $0.rawValue }
      for missing in wanted where !missing.isInstalled { print("\(missing.rawValue) is not installed") }
      let browsers = wanted.filter(\.isInstalled)
      let plain = rival && !browsers.isEmpty && PlainHLSRival.isInstalled ? PlainHLSRival(port: Self.freePort()) : nil
      let board = LatencyBoard(settling: settle.ticks.duration)
      let size = PictureSize(width: 640, height: 480)
      let pusher = LatencyPusher(url: ingest, token: token, every: every.ticks, timing: timing, size: size) {
        plain?.push($0)
      }
      let clients = try LatencyClients(stream: stream, board: board)
      let page = try page(stream, rival: plain?.url, board: board)
      let duration = (settle.ticks + length.ticks).duration
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await pusher.run() }
        group.addTask { await clients.run() }
        if let plain { group.addTask { try await plain.run() } }
        if !browsers.isEmpty { group.addTask { try await Self.show(page, in: browsers) } }
        group.addTask { try await Task.sleep(for: duration) }
        // The first to end is the time limit, or a fatal error.
        defer { group.cancelAll() }
        var isOver = false
        while !isOver, try await group.next() != nil { isOver = true }
      }
      for histogram in board.histograms { print(histogram) }
      if let json { try JSONEncoder().encode(board.histograms).write(to: URL(fileURLWithPath: json)) }
    }

    /// Opens the browsers once the page is served, and closes them when cancelled.
    private static func show(_ page: LatencyPage, in browsers: [LatencyBrowser]) async throws {
      let (ports, opened) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await page.run { opened.yield($0) } }
        guard let port = await ports.first(where: { _ in true }) else { return }
        for browser in browsers { group.addTask { try await browser.show("http://127.0.0.1:\(port)/") } }
        try await group.next()
        group.cancelAll()
      }
    }

    private func page(_ stream: String, rival: String?, board: LatencyBoard) throws -> LatencyPage {
      guard let base = URL(string: stream), let root = URL(string: "/_/hls-1.6.15.mjs", relativeTo: base) else {
        throw ValidationError("\(stream) is no address of a stream; name one such as http://HOST/CAMERA/index.m3u8")
      }
      let folder = base.deletingLastPathComponent()
      var player = ["maxLiveSyncPlaybackRate": 1.5]
      if let behind { player["liveSyncDuration"] = behind * Double(part.ticks.count) / Double(Ticks.perSecond) }
      typealias Way = LatencyPage.Way
      var ways = [
        Way(
          name: "Quietcam's element", kind: "frames", url: folder.absoluteString,
          script: URL(string: "/quietcam.js", relativeTo: base)?.absoluteString),
        Way(name: "Quietcam with hls.js", kind: "hls", url: stream, player: player),
        Way(name: "polling every 2 s", kind: "image", url: folder.appending(path: "latest.jpg").absoluteString),
        Way(
          name: "events and JPEG", kind: "image", url: folder.appending(path: "latest.jpg").absoluteString,
          events: folder.appending(path: "events").absoluteString),
      ]
      if let rival { ways.append(Way(name: "ffmpeg and nginx with hls.js", kind: "hls", url: rival)) }
      if let other { ways.append(Way(name: other, kind: "hls", url: other)) }
      return try LatencyPage(
        library: root.absoluteString, every: every.ticks.milliseconds, ways: ways, board: board)
    }

    /// A free port.
    private static func freePort() -> Int {
      let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(socket) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      return withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          guard bind(socket, address, length) == 0, getsockname(socket, address, &length) == 0 else {
            return Int.random(in: 20_000..<60_000)
          }
          return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
            Int(UInt16(bigEndian: $0.pointee.sin_port))
          }
        }
      }
    }
  }
}

extension LatencyPusher.Timing: ExpressibleByArgument {}
