import Foundation
import NIOConcurrencyHelpers

/// `quietcam serve` as a child of this program, on ports of loopback.
package final class ServerProcess: Sendable {
  /// The only camera's name.
  package static let camera = "bench"
  package static let token = "bench-token"

  package let publicPort: Int
  package let privatePort: Int
  private let log: URL
  private let running: Running

  /// The process as its task sees it.
  private final class Running: Sendable {
    private struct State {
      var process: Int32?
      var isOver = false
    }

    private let state = NIOLockedValueBox(State())
    var process: Int32? { state.withLockedValue { $0.process } }
    var isOver: Bool { state.withLockedValue { $0.isOver } }
    func begin(_ process: Int32) { state.withLockedValue { $0.process = process } }
    func end() { state.withLockedValue { $0.isOver = true } }
  }

  private let task: Task<Void, any Error>

  /// Starts it on free ports and waits until both listeners are open.
  ///
  /// - Parameters:
  ///   - folder: where it runs, and where its log `NAME.log` lies.
  ///   - store: a folder with a loop in it, or `memory`.
  ///   - configuration: a file with the cameras and the store, instead of `store` and the one camera.
  /// - Throws: `BenchFailure` with its own last line where it does not start.
  package init(
    program: URL, name: String, folder: URL, store: String = "memory", settings: [String],
    certificate: (file: String, key: String)? = nil, configuration: URL? = nil
  ) async throws {
    let log = folder.appending(path: "\(name).log")
    self.log = log
    let cameras =
      configuration.map { ["--config", $0.path] } ?? ["--store", store, "--camera", Self.camera, "--token", Self.token]
    let arguments =
      ["serve", "--public", "127.0.0.1:0", "--private", "127.0.0.1:0", "--log", "info"] + cameras
      + (certificate.map { ["--public-certificate", $0.file, "--public-key", $0.key] } ?? []) + settings
    let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("QUIETCAM") }
    let running = Running()
    self.running = running
    task = Task {
      defer { running.end() }
      try await ExternalProgram(program).run(arguments, environment: environment, folder: folder, log: log) {
        running.begin($0)
      }
    }
    let deadline = ContinuousClock.now + .seconds(30)
    var ports: (Int, Int)?
    while ports == nil, !running.isOver, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(30))
      let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      if let viewers = Self.port(in: text, after: "viewers:"), let stills = Self.port(in: text, after: "stills:") {
        ports = (viewers, stills)
      }
    }
    guard let ports else {
      task.cancel()
      _ = await task.result
      let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("Error") } ?? text.split(separator: "\n").last ?? ""
      throw BenchFailure("quietcam serve did not start: \(line)")
    }
    (publicPort, privatePort) = ports
  }

  /// The port in the first line with these words: `viewers:  http://127.0.0.1:8080/`.
  private static func port(in text: String, after words: String) -> Int? {
    guard let line = text.split(separator: "\n").first(where: { $0.contains(words) }),
      let address = line.components(separatedBy: "://").last
    else { return nil }
    return Int(address.drop { $0 != ":" }.dropFirst().prefix { $0 != "/" })
  }

  /// The operator's token that it made and told, where it keeps nothing on disk.
  var operatorToken: String? {
    let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("operator: token ") }
    return line?.split(separator: " ").dropFirst(2).first.map(String.init)
  }

  /// Its own memory now, without pages of files that can be dropped, in KiB; `nil` where the system does not tell.
  var ownKiB: Int? { running.process.flatMap { Self.kibibytes("RssAnon", of: $0) } }

  /// Whether it has ended.
  var hasEnded: Bool { running.isOver }

  /// The most memory that it has had so far, in KiB; `nil` where the system does not tell.
  var peakKiB: Int? { running.process.flatMap { Self.kibibytes("VmHWM", of: $0) } }

  /// The processor time that it has used so far, to a hundredth of a second; `nil` where the system does not tell.
  package var processorTime: Duration? {
    guard let process = running.process,
      let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let end = text.lastIndex(of: ")")
    else { return nil }
    // proc(5): utime and stime are the fields 14 and 15; the name in brackets is field 2.
    let fields = text[end...].split(separator: " ").dropFirst()
    let ticks = fields.dropFirst(11).prefix(2).compactMap { Int64($0) }
    return ticks.count == 2 ? .milliseconds((ticks[0] + ticks[1]) * 1000 / Int64(sysconf(Int32(_SC_CLK_TCK)))) : nil
  }

  /// A figure of the memory of a process, in KiB: `VmHWM`, `VmRSS` or `RssAnon`.
  static func kibibytes(_ field: String, of process: Int32) -> Int? {
    let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }

  /// Starts it in a folder of its own, runs `body` and ends it.
  ///
  /// - Throws: as `init` does, and what `body` throws.
  package static func running<Result>(
    _ program: URL, settings: [String], isolation: isolated (any Actor)? = #isolation,
    _ body: (ServerProcess) async throws -> Result
  ) async throws -> Result {
    try await withBenchFolder { folder in
      let server = try await ServerProcess(
        program: program, name: "serve", folder: folder, store: "memory", settings: settings)
      do {
        let result = try await body(server)
        await server.stop()
        return result
      } catch {
        await server.stop()
        throw error
      }
    }
  }

  /// Ends it and waits for it.
  package func stop() async {
    task.cancel()
    _ = await task.result
  }
}
