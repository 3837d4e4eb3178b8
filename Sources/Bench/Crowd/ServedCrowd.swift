import Foundation
import Media
import NIOCore

/// A crowd of viewers before a server of its own, a child of this program, that gets a still every two seconds.
package struct ServedCrowd: Sendable {
  /// How long the server publishes before the first viewer comes.
  private static let warmUp = Duration.seconds(4)

  private let program: URL
  private let stills: [ByteBuffer]
  private let settings: [String]
  private let options: ViewersBench.Options

  /// A crowd before the server in the file `program`.
  ///
  /// - Parameter settings: flags of `quietcam serve`.
  package init(
    program: URL, stills: [ByteBuffer], settings: [String], options: ViewersBench.Options
  ) {
    (self.program, self.stills, self.settings, self.options) = (program, stills, settings, options)
  }

  /// Starts the server, watches, and ends it.
  ///
  /// - Throws: `BenchFailure` if it does not start or refuses a still.
  package func run(onProgress: @escaping @Sendable (ViewersBench.Progress) -> Void) async throws -> CrowdResult {
    try await ServerProcess.running(program, settings: settings) { server in
      try await withThrowingTaskGroup(of: CrowdResult?.self) { group in
        let feed = StillFeed(stills: stills, every: .seconds(2), hub: StillHub())
        let port = server.privatePort
        group.addTask {
          try await feed.push(toPort: port)
          return nil
        }
        group.addTask {
          try await Task.sleep(for: Self.warmUp)
          guard let url = URL(string: "http://127.0.0.1:\(server.publicPort)/\(ServerProcess.camera)/live.m3u8") else {
            return nil
          }
          return try await ViewersBench(url: url, options: options).run(server: server, onProgress: onProgress)
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else { throw BenchFailure("the stills ended too soon") }
        return result
      }
    }
  }
}
