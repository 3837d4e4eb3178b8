import Foundation

/// A program that runs as long as its owner keeps it, in a folder of its own that is removed with it.
package final class ChildProcess: Sendable {
  /// The folder.
  package let folder: URL
  private let process: Process

  /// Starts the program.
  ///
  /// - Parameters:
  ///   - program: the name of a program on the path, or the path of one.
  ///   - arguments: made with the folder, which is still empty.
  ///   - input: what it reads; nothing if `nil`.
  /// - Throws: if it is not installed or does not start.
  package init(_ program: String, input: Pipe? = nil, arguments: (URL) throws -> [String]) throws {
    guard let path = Self.path(of: program) else { throw LatencyError("\(program) is not installed") }
    folder = FileManager.default.temporaryDirectory.appending(path: "quietcam-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    process = Process()
    process.executableURL = path
    process.arguments = try arguments(folder)
    process.standardInput = input ?? FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// Ends it and removes its folder. A program that does not end within five seconds is killed.
  package func end() {
    process.terminate()
    let limit = Date(timeIntervalSinceNow: 5)
    while process.isRunning, Date() < limit { usleep(20_000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  /// The path of a program; `nil` if it is not installed.
  package static func path(of program: String) -> URL? {
    let folders = program.contains("/") ? [""] : ["/usr/bin/", "/usr/local/bin/", "/usr/sbin/", "/usr/local/sbin/"]
    return folders.map { $0 + program }.first { FileManager.default.isExecutableFile(atPath: $0) }
      .map { URL(fileURLWithPath: $0) }
  }
}
