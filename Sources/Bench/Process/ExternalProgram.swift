import Foundation
import NIOCore
import Subprocess
import SystemPackage

/// A program of this machine that the bench calls.
package struct ExternalProgram: Sendable {
  static let ffmpeg = ExternalProgram("ffmpeg", package: "ffmpeg")
  static let nginx = ExternalProgram("nginx", package: "nginx-light")
  static let cjpeg = ExternalProgram("cjpeg", package: "libjpeg-turbo-progs")
  static let ss = ExternalProgram("ss", package: "iproute2")
  static let openssl = ExternalProgram("openssl", package: "openssl")

  let name: String
  private let package: String
  private let path: String?

  /// More than any program of a bench writes.
  private static let mostOutput = 1 << 30
  /// How long a program has to end before it is killed.
  private static let patience = Duration.seconds(5)

  /// The program in a file.
  init(_ file: URL) { (name, package, path) = (file.lastPathComponent, "quietcam", file.path) }

  /// The program of this name on the path, which may not be installed.
  init(_ name: String, package: String) {
    (self.name, self.package) = (name, package)
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
    let usual = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/usr/local/sbin"]
    path = (folders + usual).map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  var isInstalled: Bool { path != nil }

  /// Runs it to its end.
  ///
  /// - Returns: what it wrote to its standard output, or to standard error.
  /// - Throws: `BenchFailure` with its last words when it fails.
  func output(_ arguments: [String], input: Data? = nil, ofErrors: Bool = false) async throws -> Data {
    let (configuration, most) = (try configuration(arguments), Self.mostOutput)
    let result =
      if let input {
        try await Subprocess.run(
          configuration, input: .array([UInt8](input)), output: .bytes(limit: most), error: .bytes(limit: most))
      } else {
        try await Subprocess.run(
          configuration, input: .none, output: .bytes(limit: most), error: .bytes(limit: most))
      }
    guard result.terminationStatus.isSuccess else {
      let words = String(decoding: result.standardError.suffix(300), as: UTF8.self).split(separator: "\n").last ?? ""
      throw BenchFailure("\(name) ended with \(result.terminationStatus): \(words)")
    }
    return Data(ofErrors ? result.standardError : result.standardOutput)
  }

  /// Runs it until it ends or the task is cancelled, which gives it five seconds to end.
  ///
  /// - Parameters:
  ///   - environment: its environment; that of this process where `nil`.
  ///   - folder: where it runs; the folder of this process where `nil`.
  ///   - log: a file for all that it says; nowhere where `nil`.
  ///   - onStart: told its process id.
  /// - Throws: `BenchFailure` where it is not installed, and the system's error where it does not start.
  func run(
    _ arguments: [String], environment: [String: String]? = nil, folder: URL? = nil, log: URL? = nil,
    onStart: @Sendable (Int32) -> Void = { _ in }
  ) async throws {
    var configuration = try configuration(arguments)
    if let environment {
      configuration.environment = .custom(
        Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }))
    }
    configuration.workingDirectory = folder.map { FilePath($0.path) }
    let sink = try SystemPackage.FileDescriptor.open(
      FilePath(log?.path ?? "/dev/null"), .writeOnly, options: [.create, .append, .closeOnExec],
      permissions: .ownerReadWrite)
    defer { try? sink.close() }
    let words = FileDescriptorOutput.fileDescriptor(sink, closeAfterSpawningProcess: false)
    _ = try await Subprocess.run(configuration, input: .none, output: words, error: words) { process in
      onStart(process.processIdentifier.value)
    }
  }

  /// Runs it and writes to its standard input, until `feed` is done, or the task is cancelled, and it has ended.
  ///
  /// - Parameter feed: writes by the function that it is given, which waits until the program has taken the bytes.
  /// - Throws: as `run` does, and what `feed` throws; a program that has ended takes no more.
  func run(
    _ arguments: [String], feed: @Sendable (_ write: (ByteBuffer) async throws -> Void) async throws -> Void
  ) async throws {
    _ = try await Subprocess.run(
      try configuration(arguments), input: .inputWriter, output: .discarded, error: .discarded
    ) { process in
      try await feed { bytes in _ = try await process.standardInputWriter.write(Array(bytes.readableBytesView)) }
    }
  }

  private func configuration(_ arguments: [String]) throws -> Configuration {
    guard let path else { throw BenchFailure("\(name) is not installed; install it (Debian's package \(package))") }
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
    return Configuration(executable: .path(FilePath(path)), arguments: Arguments(arguments), platformOptions: options)
  }
}
