import Foundation
import TestSupport
import Testing

/// A program of the system that judges what Quietcam writes, run to its end.
enum ForeignProgram {
  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// The standard output of `arguments`, in which `INPUT` stands for a file with `input`.
  static func run(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: TemporaryFolder.path())
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (source, output, errors) = (folder.appending("input"), folder.appending("output"), folder.appending("errors"))
    try Data(input).write(to: source)
    try Data().write(to: output)
    try Data().write(to: errors)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments.map { $0 == "INPUT" ? source.path : $0 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: "\(arguments): \(String(decoding: try Data(contentsOf: errors), as: UTF8.self))")
    }
    return [UInt8](try Data(contentsOf: output))
  }

  /// What ffprobe says about the first stream of `input`, by key.
  static func probe(_ input: [UInt8], keys: [String]) throws -> [String: String] {
    let entries = "stream=" + keys.joined(separator: ",")
    let text = try run(
      ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=noprint_wrappers=1", "-f", "h264", "INPUT"],
      input: input)
    let pairs = String(decoding: text, as: UTF8.self).split(separator: "\n").map { line in
      line.split(separator: "=", maxSplits: 1).map(String.init)
    }
    return Dictionary(pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
  }

  /// The JPEG that libjpeg makes of RGB bytes.
  static func jpeg(_ rgb: [UInt8], width: Int, height: Int, _ options: [String]) throws -> [UInt8] {
    try run(["cjpeg"] + options + ["INPUT"], input: Array("P6\n\(width) \(height)\n255\n".utf8) + rgb)
  }
}

/// RGB bytes of a picture, row by row.
func painted(width: Int, height: Int, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(3 * width * height)
  for y in 0..<height {
    for x in 0..<width { bytes += colour(x, y) }
  }
  return bytes
}

extension URL {
  fileprivate func appending(_ name: String) -> URL { appendingPathComponent(name) }
}
