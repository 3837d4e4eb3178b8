import Foundation
import Ingest
import Media
import NIOCore
import TestSupport
import Testing

@testable import Picture

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

  // Films of which the upper half is blue and the lower red.

  private static let film =
    "color=c=red:s=320x240:r=10:d=1,drawbox=x=0:y=0:w=320:h=120:c=blue:t=fill"
  private static let lossless = ["-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p"]

  /// The colours in the middle of the upper, lower, left and right edge of the first picture, by names.
  private func edges(_ source: inout FrameSource) throws -> (size: PictureSize, colours: String) {
    guard case .picture = try source.advance() else { return (PictureSize(width: 0, height: 0), "none") }
    let jpeg = try source.jpeg()
    let size = try JPEGHeader(jpeg, maxPixels: 10_000_000).size
    #expect(try source.picture().size == size)
    let rgb = try ForeignProgram.run(["djpeg", "INPUT"], input: Array(jpeg.readableBytesView)).suffix(3 * size.pixels)
    let (x, y) = (size.width / 2, size.height / 2)
    let places = [(x + 12, 8), (x + 12, size.height - 9), (8, y + 12), (size.width - 9, y + 12)]
    let names = places.map { x, y in
      let colour = rgb.dropFirst(3 * (y * size.width + x)).prefix(3).map { $0 > 127 ? "1" : "0" }.joined()
      return ["001": "blue", "100": "red", "010": "green", "000": "black"][colour] ?? colour
    }
    return (size, names.joined(separator: " "))
  }

  private func expect(_ file: String, made arguments: [String], size: String, _ colours: String) throws {
    try withFile(file, made: arguments) { location in
      var source = try FrameSource(location, interrupt: MediaInterrupt())
      let found = try edges(&source)
      #expect(found.size.description == size)
      #expect(found.colours == colours)
    }
  }

  private func withPrepared(_ name: String, _ arguments: [String], _ body: (String) throws -> Void) throws {
    try withFile(name, made: arguments) { try body($0.url) }
  }

  /// Covers come before and behind the film, as an attached picture, as a second track that is none, or as the default.
  @Test(arguments: [
    ("f.mp4", ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic"]),
    ("f.mp4", ["-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic"]),
    ("f.mp4", ["-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic+default"]),
    ("f.mkv", ["-map", "0", "-c", "copy", "-attach", "COVER", "-metadata:s:t", "mimetype=image/jpeg"]),
    ("f.mov", ["-map", "1", "-map", "0", "-c", "copy"]), ("f.mov", ["-map", "0", "-map", "1", "-c", "copy"]),
  ])
  func aCoverOrAPreviewIsNotThePicture(_ name: String, _ arguments: [String]) throws {
    try withPrepared("cover.jpg", ["-f", "lavfi", "-i", "color=c=lime:s=160x120", "-frames:v", "1"]) { cover in
      try withPrepared("film.mp4", ["-f", "lavfi", "-i", Self.film] + Self.lossless) { film in
        let inputs = ["-i", film] + (arguments.contains("COVER") ? [] : ["-i", cover])
        try expect(
          name, made: inputs + arguments.map { $0 == "COVER" ? cover : $0 }, size: "320x240", "blue red red red")
      }
    }
  }

  @Test func aSoundFileWithACoverHasNoPicture() throws {
    try withPrepared("cover.jpg", ["-f", "lavfi", "-i", "color=c=lime:s=160x120", "-frames:v", "1"]) { cover in
      let make = [
        "-f", "lavfi", "-i", "sine=d=1", "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v",
        "attached_pic",
      ]
      try withFile("sound.m4a", made: make) { location in
        #expect(throws: FFmpegError.self) { _ = try FrameSource(location, interrupt: MediaInterrupt()).isLive }
      }
    }
  }

  @Test(arguments: [
    (90, "240x320", "red red blue red"), (180, "320x240", "red blue blue blue"), (270, "240x320", "blue blue red blue"),
  ])
  func aDisplayMatrixTurnsThePicture(_ angle: Int, _ size: String, _ colours: String) throws {
    // Metadata of that name become a matrix in MP4.
    for codec in [Self.lossless, ["-c:v", "mjpeg", "-q:v", "2", "-huffman", "default"]] {
      try withPrepared("film.mov", ["-f", "lavfi", "-i", Self.film] + codec) { film in
        let turned = ["-i", film, "-c", "copy", "-metadata:s:v", "rotate=\(angle)"]
        try withPrepared("turned.mov", turned) { turned in
          var source = try FrameSource(MediaLocation(turned), interrupt: MediaInterrupt())
          let found = try edges(&source)
          #expect(found.size.description == size)
          #expect(found.colours == colours)
          #expect(try found.colours == judge(turned))
        }
      }
    }
  }

  /// What ffmpeg itself shows of the film.
  private func judge(_ path: String) throws -> String {
    var judged = ""
    try withPrepared("judged.mkv", ["-i", path] + Self.lossless) { judgedPath in
      var source = try FrameSource(MediaLocation(judgedPath), interrupt: MediaInterrupt())
      judged = try edges(&source).colours
    }
    return judged
  }

  @Test(arguments: [("24/11", "768x576", 352, 576), ("1/2", "320x480", 320, 240), ("100/1", "320x240", 320, 240)])
  func anAspectThatIsNotSquareIsScaled(_ aspect: String, _ size: String, _ width: Int, _ height: Int) throws {
    let film =
      "color=c=red:s=\(width)x\(height):r=10:d=1,drawbox=x=0:y=0:w=iw:h=ih/2:c=blue:t=fill,setsar=\(aspect)"
    try expect("f.mp4", made: ["-f", "lavfi", "-i", film] + Self.lossless, size: size, "blue red red red")
  }

  @Test func matricesAreOrientations() {
    let one: Int32 = 65_536
    func orientation(_ a: Int32, _ b: Int32, _ c: Int32, _ d: Int32) -> Orientation {
      Orientation(matrix: [a, b, 0, c, d, 0, 0, 0, 1 << 30])
    }
    // Where the stored picture's right and its below point to on the screen.
    #expect(orientation(one, 0, 0, one) == .upright)
    #expect(orientation(-one, 0, 0, one) == .mirrored)
    #expect(orientation(-one, 0, 0, -one) == .upsideDown)
    #expect(orientation(one, 0, 0, -one) == .flipped)
    #expect(orientation(0, one, one, 0) == .transposed)
    #expect(orientation(0, one, -one, 0) == .turnClockwise)
    #expect(orientation(0, -one, -one, 0) == .transversed)
    #expect(orientation(0, -one, one, 0) == .turnCounterclockwise)
    #expect(orientation(60_000, 20_000, -20_000, 60_000) == .upright)
    #expect(orientation(20_000, 60_000, -60_000, 20_000) == .turnClockwise)
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
      _ = try FrameSource(
        MediaLocation("http://127.0.0.1:\(listener.port)/"), interrupt: MediaInterrupt(), patience: .milliseconds(200)
      ).isLive
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
