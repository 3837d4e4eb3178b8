import Foundation
import NIOConcurrencyHelpers
import NIOPosix

/// A program of this machine that the bench calls.
struct ExternalProgram: Sendable {
  static let ffmpeg = ExternalProgram("ffmpeg", package: "ffmpeg")
  static let cjpeg = ExternalProgram("cjpeg", package: "libjpeg-turbo-progs")
  static let ss = ExternalProgram("ss", package: "iproute2")
  static let openssl = ExternalProgram("openssl", package: "openssl")

  let name: String
  private let package: String
  private let path: String?

  /// The program in a file.
  init(_ file: URL) { (name, package, path) = (file.lastPathComponent, "quietcam", file.path) }

  private init(_ name: String, package: String) {
    (self.name, self.package) = (name, package)
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin", "/bin"]
    path = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  var isInstalled: Bool { path != nil }

  /// A process of it that has not started yet.
  ///
  /// - Throws: `BenchFailure` if it is not installed.
  func process(_ arguments: [String]) throws -> Process {
    guard let path else { throw BenchFailure("\(name) is not installed; install it (Debian's package \(package))") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    return process
  }

  /// Runs it to its end on a thread of its own.
  ///
  /// - Returns: what it wrote to standard output, or to standard error.
  /// - Throws: `BenchFailure` with its last output if it fails.
  func output(_ arguments: [String], input: Data? = nil, ofErrors: Bool = false) async throws -> Data {
    try await NIOThreadPool.singleton.runIfActive {
      let process = try process(arguments)
      let (output, errors, stdin) = (Pipe(), Pipe(), Pipe())
      process.standardOutput = output
      process.standardError = errors
      process.standardInput = input == nil ? FileHandle.nullDevice : stdin
      try process.run()
      // All three pipes at once: a program can wait for any of them.
      let others = DispatchGroup()
      let queue = DispatchQueue(label: "bench.program", attributes: .concurrent)
      if let input {
        queue.async(group: others) {
          try? stdin.fileHandleForWriting.write(contentsOf: input)
          try? stdin.fileHandleForWriting.close()
        }
      }
      let said = Box()
      queue.async(group: others) { said.set((try? errors.fileHandleForReading.readToEnd()) ?? Data()) }
      let written = (try? output.fileHandleForReading.readToEnd()) ?? Data()
      others.wait()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        let words = String(decoding: said.data.suffix(300), as: UTF8.self).split(separator: "\n").last ?? ""
        throw BenchFailure("\(name) ended with \(process.terminationStatus): \(words)")
      }
      return ofErrors ? said.data : written
    }
  }
}

/// Bytes that one thread passes to another.
private final class Box: Sendable {
  private let content = NIOLockedValueBox(Data())
  var data: Data { content.withLockedValue { $0 } }
  func set(_ data: Data) { content.withLockedValue { $0 = data } }
}
