import Foundation
import Testing

@testable import Media

@Suite struct InputFileTests {
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "quietcam-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(bytes).write(to: URL(filePath: path))
    try body(path)
  }

  @Test func aPlainFileIsReadToItsEnd() throws {
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    try withFile(bytes) { path in
      let (all, some) = (try InputFile.bytes(at: path, most: 1 << 20), try InputFile.bytes(at: path, most: 100))
      #expect(all == bytes && some == Array(bytes[..<101]))
    }
  }

  @Test func aPipeIsReadToItsEnd() async throws {
    let pipe = Pipe()
    let text = String(repeating: "token: 12345678\n", count: 20_000)
    let writer = pipe.fileHandleForWriting
    let feeding = Task.detached {
      writer.write(Data(text.utf8))
      try writer.close()
    }
    let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    let read = try InputFile.text(at: path, most: 1 << 20)
    #expect(read == text)
    try await feeding.value
  }

  @Test func whatCannotBeReadSaysWhy() throws {
    #expect(throws: InputFile.Problem.self) { try InputFile.bytes(at: "/nowhere/at/all", most: 10) }
    #expect(throws: InputFile.Problem.self) { try InputFile.bytes(at: "/", most: 10) }
    try withFile([0xFF, 0xFE]) { path in
      #expect(throws: InputFile.Problem(description: "not UTF-8")) { try InputFile.text(at: path, most: 10) }
      #expect(throws: InputFile.Problem(description: "more than 1 bytes")) { try InputFile.text(at: path, most: 1) }
    }
  }
}
