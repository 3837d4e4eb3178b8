import Foundation
import Ingest
import Media
import NIOCore
import Picture
import TestSupport
import Testing

@Suite struct FrameSourceTests {
  private func withFile(
    _ name: String, made arguments: [String], _ body: (MediaLocation) throws -> Void
  ) throws {
    try withFolder { folder in
      let file = folder + "/" + name
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["ffmpeg", "-nostdin", "-v", "error"] + arguments + [file]
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
      try body(MediaLocation(file))
    }
  }

  private func times(_ source: inout FrameSource) throws -> [Ticks] {
    var times: [Ticks] = []
    while case .picture(let time) = try source.advance() { times.append(time) }
    return times
  }

  @Test func aFilterGraphYieldsPicturesWithTheirTimes() throws {
    var source = try FrameSource(
      MediaLocation("lavfi:testsrc2=size=64x48:rate=10:duration=1"), interrupt: MediaInterrupt())
    let isLive = source.isLive
    #expect(!isLive)
    #expect(try source.advance() == .picture(.zero))
    let jpeg = try source.jpeg()
    #expect(try JPEGHeader(jpeg, maxPixels: 10_000).size == PictureSize(width: 64, height: 48))
    #expect(try source.picture().size == PictureSize(width: 64, height: 48))
    #expect(try times(&source) == (1..<10).map { Ticks.milliseconds(100 * $0) })
    #expect(try source.advance() == .end)
  }

  @Test func aVideoWithReorderedPicturesKeepsItsOrderAndBeginsAtZero() throws {
    let make = [
      "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1", "-c:v", "libx264", "-bf", "3", "-output_ts_offset",
      "7",
    ]
    try withFile("b.mp4", made: make) { location in
      var source = try FrameSource(location, interrupt: MediaInterrupt())
      let isLive = source.isLive
      #expect(!isLive)
      #expect(try times(&source) == (0..<25).map { Ticks.milliseconds(40 * $0) })
    }
  }

  @Test func aMotionJPEGStreamGivesItsOwnBytesUntouched() throws {
    let make = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=5:duration=1", "-c:v", "mjpeg", "-huffman", "default"]
    try withFile("m.mkv", made: make) { location in
      let file = try Data(contentsOf: URL(fileURLWithPath: location.url))
      var source = try FrameSource(location, interrupt: MediaInterrupt())
      var count = 0
      while case .picture = try source.advance() {
        let jpeg = try source.jpeg()
        #expect(file.range(of: Data(jpeg.readableBytesView)) != nil)
        #expect(try source.picture().size == PictureSize(width: 64, height: 64))
        count += 1
      }
      #expect(count == 5)
    }
  }

  @Test func whatIsNoVideoSaysSo() throws {
    let file = URL(fileURLWithPath: TemporaryFolder.path())
    try Data("this is no video\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: FFmpegError.self) {
      _ = try FrameSource(MediaLocation(file.path), interrupt: MediaInterrupt()).isLive
    }
    #expect(error?.description.contains(file.path) == true)
  }

  @Test func anInterruptEndsAnOpenThatWouldHang() throws {
    // A listener that never answers: the system completes the connection, and nobody reads from it.
    let listener = try Listener()
    let interrupt = MediaInterrupt()
    let thread = Thread {
      Thread.sleep(forTimeInterval: 0.2)
      interrupt.interrupt()
    }
    thread.start()
    let begin = ContinuousClock.now
    let error = #expect(throws: FFmpegError.self) {
      _ = try FrameSource(MediaLocation("http://127.0.0.1:\(listener.port)/"), interrupt: interrupt).isLive
    }
    #expect(error?.code == FFmpegError.exit)
    #expect(ContinuousClock.now - begin < .seconds(1))
  }

  @Test func anOpenThatTakesTooLongTimesOut() throws {
    let listener = try Listener()
    let error = #expect(throws: FFmpegError.self) {
      _ = try MediaFetch(
        MediaLocation("http://127.0.0.1:\(listener.port)/"), limit: 3, interrupt: MediaInterrupt(),
        patience: .milliseconds(200)
      ).isJPEG
    }
    #expect(error?.code == FFmpegError.timedOut)
  }

  @Test(arguments: [
    ("rtsp://admin:secret@cam:554/live", "rtsp://cam:554/live"),
    ("rtsp://admin:se/cr@et@cam/live", "rtsp://cam/live"),
    ("http://cam/shot.jpg?user=a&pwd=secret", "http://cam/shot.jpg?…"),
    ("http://cam:8080/@door/shot.jpg", "http://cam:8080/@door/shot.jpg"),
    ("http://[fe80::1]:80/a", "http://[fe80::1]:80/a"),
    ("/home/a@b/c.mp4", "/home/a@b/c.mp4"),
    ("lavfi:testsrc2", "lavfi:testsrc2"),
  ])
  func addressesAreShownWithoutTheirSecrets(_ text: String, _ shown: String) {
    #expect(MediaLocation(text).redacted == shown)
  }

  /// A TCP port of the loopback that accepts and says nothing.
  private struct Listener: ~Copyable {
    let port: Int
    private let descriptor: Int32

    init() throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0 && getsockname(descriptor, $0, &length) == 0
        }
      }
      try #require(isBound)
      port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
  }
}
