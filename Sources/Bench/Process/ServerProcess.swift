import Foundation

/// `quietcam serve` as a child process, on free ports of loopback.
final class ServerProcess: Sendable {
  /// The only camera's name.
  static let camera = "bench"
  static let token = "bench-token"

  let publicPort: Int
  let privatePort: Int
  private let process: Process
  private let log: URL

  /// Starts it and waits until both listeners are open.
  ///
  /// - Throws: `BenchFailure` with its last line of output if it does not start.
  ///
  /// - Parameter store: a folder with a loop in it, or `memory`.
  init(
    program: URL, name: String, folder: URL, store: String, settings: [String],
    certificate: (file: String, key: String)?
  ) async throws {
    log = folder.appending(path: "\(name).log")
    guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
      throw BenchFailure("\(log.path) cannot be written; check the temporary folder")
    }
    let output = try FileHandle(forWritingTo: log)
    process = Process()
    process.executableURL = program
    process.arguments =
      [
        "serve", "--public", "127.0.0.1:0", "--private", "127.0.0.1:0", "--store", store, "--camera", Self.camera,
        "--token", Self.token, "--log", "info",
      ] + (certificate.map { ["--public-certificate", $0.file, "--public-key", $0.key] } ?? []) + settings
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("QUIETCAM") }
    process.currentDirectoryURL = folder
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let deadline = ContinuousClock.now + .seconds(30)
    var ports: (Int, Int)?
    while ports == nil, process.isRunning, ContinuousClock.now < deadline, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(30))
      let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
      if let viewers = Self.port(in: text, after: "viewers:"), let stills = Self.port(in: text, after: "stills:") {
        ports = (viewers, stills)
      }
    }
    guard let ports else {
      if process.isRunning { process.terminate() }
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

  /// The most memory that it has had so far, in KiB; `nil` if the system does not say.
  var peakKiB: Int? {
    let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }

  /// Ends it and waits for it, on the calling thread.
  func stop() {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
  }
}
