import Foundation
import NIOCore
import Testing

@testable import Media

@Suite struct VocabularyTests {
  @Test func wallTimeIsWrittenAsFoundationWritesIt() throws {
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let milliseconds = Int64.random(in: 0..<4_102_444_800_000, using: &generator)
      let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
      #expect(WallTime(milliseconds: milliseconds).iso8601 == formatter.string(from: date))
    }
    #expect(WallTime(milliseconds: 951_782_400_000).iso8601 == "2000-02-29T00:00:00.000Z")
  }

  @Test(arguments: ["desk", "a", "0", "front-door-2", String(repeating: "x", count: 40)])
  func takesCameraNamesThatNeedNoEscaping(name: String) { #expect(CameraName(name)?.text == name) }

  @Test(arguments: [
    "", "-a", "Desk", "a b", "a/b", "..", "a.b", "desk\n", "été", String(repeating: "x", count: 41), "healthz",
    "ingest",
  ])
  func refusesCameraNamesThatCouldMeanSomethingElse(name: String) { #expect(CameraName(name) == nil) }

  @Test(arguments: ["640x480", "1x1", "99999x2"]) func readsSizes(text: String) {
    #expect(PictureSize(text)?.description == text)
  }

  @Test(arguments: ["640", "x", "640x", "0x480", "-1x2", "640x480x3", "640X480", "123456x1"])
  func refusesWhatIsNoSize(text: String) { #expect(PictureSize(text) == nil) }

  @Test func jsonStringsAreEscaped() {
    #expect("a\"b\\c\n\u{1}é".jsonQuoted == "\"a\\\"b\\\\c\\u000a\\u0001é\"")
  }

  @Test func gzipIsReadByTheGzipProgramAndIsTheSameEachTime() throws {
    let text = ByteBuffer(string: String(repeating: "#EXTINF:12,\n1234.mp4\n", count: 50))
    let packed = text.gzipped()
    #expect(packed == text.gzipped())
    #expect(packed.readableBytes < text.readableBytes / 5)
    #expect(try unpacked(packed, by: "gzip") == text)
    #expect(try unpacked(ByteBuffer().gzipped(), by: "gzip") == ByteBuffer())
  }

  @Test(arguments: [BrotliQuality.quick, .small])
  func brotliIsReadByTheBrotliProgramAndIsTheSameEachTime(quality: BrotliQuality) throws {
    let text = ByteBuffer(string: (0..<50).map { "#EXTINF:12,\n\(1234 + $0).mp4\n" }.joined())
    let packed = text.brotlied(quality)
    #expect(packed == text.brotlied(quality))
    #expect(packed.readableBytes < text.gzipped().readableBytes)
    #expect(try unpacked(packed, by: "brotli") == text)
    #expect(try unpacked(ByteBuffer().brotlied(quality), by: "brotli") == ByteBuffer())
  }

  @Test func zstandardWithADictionaryIsReadByTheZstdProgram() throws {
    let old = ByteBuffer(string: (0..<50).map { "#EXTINF:12,\n\(1234 + $0).mp4\n" }.joined())
    let text = ByteBuffer(string: (1..<51).map { "#EXTINF:12,\n\(1234 + $0).mp4\n" }.joined())
    let packed = text.zstandard(dictionary: old)
    #expect(packed == text.zstandard(dictionary: old) && packed.readableBytes < 40)
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).old")
    try Data(old.readableBytesView).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(try unpacked(packed, by: "zstd", ["-D", file.path]) == text)
    #expect(try unpacked(text.zstandard(dictionary: ByteBuffer()), by: "zstd") == text)
    #expect(try unpacked(ByteBuffer().zstandard(dictionary: old), by: "zstd", ["-D", file.path]) == ByteBuffer())
  }

  private func unpacked(_ buffer: ByteBuffer, by program: String, _ options: [String] = []) throws -> ByteBuffer {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).gz")
    try Data(buffer.readableBytesView).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + options + ["-dc", file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return ByteBuffer(bytes: data)
  }
}
