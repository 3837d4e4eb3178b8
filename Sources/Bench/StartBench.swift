import AsyncHTTPClient
import Foundation
import Media
import NIOCore

/// Measures how long a server takes from the start of its process to its first complete playlist, and how much memory
/// it takes with one camera that sends nothing.
package struct StartBench {
  private let program: URL
  private let size: PictureSize

  /// A bench of the server in the file `program`.
  package init(program: URL, size: PictureSize) {
    self.program = program
    self.size = size
  }

  /// The result of one start.
  package struct Result: Sendable, CustomStringConvertible {
    /// From the start of the process until a playlist with a full window was read.
    package let playlist: Duration
    /// Resident memory after some seconds without a still, in KiB.
    package let residentKiB: Int
    /// How much of it is the process's own, not pages of files that can be dropped, in KiB.
    package let ownKiB: Int

    /// One line.
    package var description: String {
      "first playlist after \(playlist.components.seconds * 1000 + playlist.components.attoseconds / 1_000_000_000_000_000) ms, "
        + "\(ownKiB / 1024) MiB of its own after 10 s, \(residentKiB / 1024) MiB with the libraries' pages"
    }
  }

  /// Starts a server on loopback, asks it until it answers, reads its memory after ten seconds, and ends it.
  ///
  /// - Throws: if the program does not start or gives no playlist within 20 seconds.
  package func run() async throws -> Result {
    let port = Int.random(in: 20_000..<60_000)
    let arguments = [
      "serve", "--public", "127.0.0.1:\(port)", "--private", "127.0.0.1:0", "--store", "memory", "--camera", "bench",
      "--token", "bench-token", "--size", size.description, "--log", "error",
    ]
    let (processes, started) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
    let start = ContinuousClock.now
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        try await ExternalProgram(program).run(arguments) { started.yield($0) }
        return nil
      }
      group.addTask {
        guard let process = await processes.first(where: { _ in true }) else { return nil }
        return try await look(at: process, port: port, since: start)
      }
      defer { group.cancelAll() }
      // Whatever else ends first has failed.
      guard let result = try await group.next() ?? nil else { throw BenchError.noPlaylist }
      return result
    }
  }

  private func look(at process: Int32, port: Int, since start: ContinuousClock.Instant) async throws -> Result {
    let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/bench/live.m3u8")
    var elapsed: Duration?
    while elapsed == nil, ContinuousClock.now - start < .seconds(20) {
      if let text = try? await HTTPClient.shared.execute(request, timeout: .seconds(5)).body.collect(upTo: 1 << 20),
        String(buffer: text).components(separatedBy: "#EXTINF").count > 6
      {
        elapsed = ContinuousClock.now - start
      } else {
        try await Task.sleep(for: .milliseconds(2))
      }
    }
    guard let elapsed else { throw BenchError.noPlaylist }
    try await Task.sleep(for: .seconds(10))
    return Result(
      playlist: elapsed, residentKiB: ServerProcess.kibibytes("VmRSS", of: process) ?? 0,
      ownKiB: ServerProcess.kibibytes("RssAnon", of: process) ?? 0)
  }
}

/// Why a bench gives no result.
enum BenchError: Error, CustomStringConvertible {
  case noPlaylist

  var description: String { "the server gave no playlist within 20 s; run it by hand to see why" }
}
