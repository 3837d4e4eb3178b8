import Foundation

/// Tells how far a run is: the number of the case in a file, which outlives a crash, and a line now and then.
struct CaseLog {
  private let cases: Cases
  private let file: FileHandle?
  private let began = ContinuousClock.now

  init(_ cases: Cases) throws {
    self.cases = cases
    guard let path = cases.progress else {
      file = nil
      return
    }
    try Data().write(to: URL(fileURLWithPath: path))
    file = FileHandle(forWritingAtPath: path)
  }

  /// Says that a case begins.
  func begin(_ number: Int, tally: @autoclosure () -> String) throws {
    if let file {
      try file.seek(toOffset: 0)
      try file.write(contentsOf: Data("\(number)\n".utf8))
    }
    if (number - cases.first) % 10_000 == 0 { tell(number - cases.first, tally()) }
  }

  /// Says what came of all cases.
  func end(tally: String) { tell(cases.count, tally) }

  private func tell(_ done: Int, _ tally: String) {
    let seconds = (ContinuousClock.now - began).components.seconds
    print("\(done) of \(cases.count) in \(seconds) s, \(Self.residentMebibytes) MiB: \(tally)")
    fflush(nil)
  }

  /// The memory of the process, which must not grow from case to case.
  private static var residentMebibytes: Int {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
    else { return 0 }
    return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
  }
}

/// The pictures of a folder, in the order of their names.
func corpus(at path: String) throws -> [[UInt8]] {
  let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".jpg") }.sorted()
  guard !names.isEmpty else { throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: path]) }
  return try names.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)"))) }
}
