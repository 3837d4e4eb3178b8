import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import Picture

/// Measures how long a server takes from the start of its process until every camera has a complete playlist, and how
/// much memory it takes while the cameras send nothing.
package struct StartBench: Sendable {
  /// The most time for the playlists.
  private static let patience = Duration.seconds(60)
  private static let token = "bench-token"

  private let program: URL
  private let size: PictureSize
  private let names: [String]

  /// A bench of the server in the file `program`, with so many cameras of the same settings.
  package init(program: URL, size: PictureSize, cameras: Int = 1) {
    self.program = program
    self.size = size
    names = (1...max(1, cameras)).map { "bench-\($0)" }
  }

  /// The result of one start.
  package struct Result: Sendable, CustomStringConvertible {
    /// What the start was: the first, with an empty store, or one with the store of an earlier process.
    let kind: String
    /// From the start of the process until a playlist with a full window was read of every camera.
    package let playlist: Duration
    /// Resident memory after some seconds without a still, in KiB.
    package let residentKiB: Int
    /// How much of it is the process's own, not pages of files that can be dropped, in KiB.
    package let ownKiB: Int
    let cameras: Int

    /// One line.
    package var description: String {
      let each = cameras > 1 ? ", \(ownKiB / cameras) KiB for each camera" : ""
      return
        "\(kind): \(cameras > 1 ? "all \(cameras) playlists" : "first playlist") after "
        + "\(playlist.components.seconds * 1000 + playlist.components.attoseconds / 1_000_000_000_000_000) ms, "
        + "\(ownKiB / 1024) MiB of its own after 10 s\(each), \(residentKiB / 1024) MiB with the libraries' pages"
    }
  }

  /// Starts a server with an empty store on loopback, has it show a still of each camera, and starts it again: asks each
  /// time until all cameras answer, and reads its memory after ten seconds.
  ///
  /// - Throws: if the program does not start or gives no playlist within a minute.
  package func run() async throws -> (first: Result, again: Result) {
    try await withBenchFolder { folder in
      let (publicPort, privatePort) = (Int.random(in: 20_000..<40_000), Int.random(in: 40_000..<60_000))
      let file = folder.appending(path: "quietcam.yaml")
      let lines =
        [
          "public: 127.0.0.1:\(publicPort)", "private: 127.0.0.1:\(privatePort)", "store: \(folder.path)/store",
          "log: error", "defaults:", "  size: \(size)", "cameras:",
        ] + names.map { "  \($0): {token: \(Self.token)}" }
      try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
      let first = try await start(file, port: publicPort, kind: "first start") {
        try await pushStills(port: privatePort)
      }
      let again = try await start(file, port: publicPort, kind: "start again") {}
      return (first, again)
    }
  }

  private func start(
    _ file: URL, port: Int, kind: String, _ finish: @escaping @Sendable () async throws -> Void
  ) async throws -> Result {
    let (processes, started) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
    let start = ContinuousClock.now
    let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("QUIETCAM") }
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await ExternalProgram(program).run(["serve", "--config", file.path], environment: environment) {
          started.yield($0)
        }
        return nil
      }
      group.addTask {
        guard let process = await processes.first(where: { _ in true }) else { return nil }
        let elapsed = try await wait(port: port, since: start)
        try await Task.sleep(for: .seconds(10))
        let result = Result(
          kind: kind, playlist: elapsed, residentKiB: ServerProcess.kibibytes("VmRSS", of: process) ?? 0,
          ownKiB: ServerProcess.kibibytes("RssAnon", of: process) ?? 0, cameras: names.count)
        try await finish()
        return result
      }
      // Whatever else ends first has failed.
      guard let result = try await group.next() ?? nil else {
        group.cancelAll()
        throw BenchError.noPlaylist
      }
      group.cancelAll()
      // The process ends in order, so that its store is whole.
      try? await group.waitForAll()
      return result
    }
  }

  /// The time until every camera's playlist is full.
  private func wait(port: Int, since start: ContinuousClock.Instant) async throws -> Duration {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names { group.addTask { try await wait(for: name, port: port, since: start) } }
      try await group.waitForAll()
    }
    return ContinuousClock.now - start
  }

  private func wait(for name: String, port: Int, since start: ContinuousClock.Instant) async throws {
    let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/\(name)/live.m3u8")
    while ContinuousClock.now - start < Self.patience {
      if let text = try? await HTTPClient.shared.execute(request, timeout: .seconds(5)).body.collect(upTo: 1 << 20),
        String(buffer: text).components(separatedBy: "#EXTINF").count > 6
      {
        return
      }
      try await Task.sleep(for: .milliseconds(2))
    }
    throw BenchError.noPlaylist
  }

  /// Sends a still to every camera and waits until it has been shown for some parts, so that the next start has a picture
  /// to go on with.
  private func pushStills(port: Int) async throws {
    var encoder = JPEGEncoder(quality: 75)
    let colours = (0..<size.pixels).flatMap { pixel in [pixel % size.width / 3, pixel / size.width / 2, pixel % 97] }
    let jpeg = try encoder.encode(try Frame.rgb(colours.map { UInt8(truncatingIfNeeded: $0) }, size: size))
    for name in names {
      var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/ingest/\(name)")
      request.method = .POST
      request.headers.add(name: "Authorization", value: "Bearer \(Self.token)")
      request.body = .bytes(jpeg)
      let status = try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status
      guard status == .accepted else { throw BenchFailure("a still of \(name) was answered with \(status)") }
    }
    try await Task.sleep(for: .seconds(6))
  }
}

/// Why a bench gives no result.
enum BenchError: Error, CustomStringConvertible {
  case noPlaylist

  var description: String { "the server gave no playlist within a minute; run it by hand to see why" }
}
