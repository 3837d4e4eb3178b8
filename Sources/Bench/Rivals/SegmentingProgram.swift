import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore

/// The real `ffmpeg`, which makes plain HLS from the stills that it gets: each form with its own encoder, as an
/// operator would start it.
final class SegmentingProgram: Sendable {
  /// A form of plain HLS.
  struct Form: Sendable {
    let way: Way
    /// Seconds of a segment.
    let seconds: Int
    let isMP4: Bool

    static let all = [
      Form(way: .plain2TS, seconds: 2, isMP4: false), Form(way: .plain2MP4, seconds: 2, isMP4: true),
      Form(way: .plain6TS, seconds: 6, isMP4: false), Form(way: .plain6MP4, seconds: 6, isMP4: true),
    ]
  }

  /// Pictures a second: a variable or slower rate makes browsers drop pictures or stall.
  static let rate = 2

  private let process: Process
  private let input = Pipe()
  private let queue = DispatchQueue(label: "bench.ffmpeg")
  private let isBroken = NIOLockedValueBox(false)

  /// A program that writes below `folder`, with a playlist `WAY/index.m3u8` for each form.
  ///
  /// - Throws: `BenchFailure` if ffmpeg is not installed.
  init(folder: URL, size: PictureSize, crf: Int, preset: String) throws {
    var arguments = [
      "-v", "error", "-nostdin", "-f", "image2pipe", "-c:v", "mjpeg", "-framerate", "\(Self.rate)", "-probesize", "32",
      "-analyzeduration", "0", "-i", "-",
    ]
    for form in Form.all {
      let target = folder.appending(path: form.way.rawValue)
      try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
      let pictures = form.seconds * Self.rate
      arguments += [
        "-map", "0:v", "-vf", Self.fit(size) + ":out_range=limited,format=yuv420p", "-c:v", "libx264", "-preset",
        preset,
        "-tune", "zerolatency", "-crf", "\(crf)", "-g", "\(pictures)", "-keyint_min", "\(pictures)", "-sc_threshold",
        "0", "-threads", "1", "-f", "hls", "-hls_time", "\(form.seconds)", "-hls_list_size", "6", "-hls_flags",
        "delete_segments+temp_file", "-hls_segment_type", form.isMP4 ? "fmp4" : "mpegts", "-hls_segment_filename",
        target.appending(path: form.isMP4 ? "%d.m4s" : "%d.ts").path, target.appending(path: "index.m3u8").path,
      ]
    }
    process = try ExternalProgram.ffmpeg.process(arguments)
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
  }

  /// ffmpeg's filters that scale a picture to a size and keep its shape; options of the last may follow.
  static func fit(_ size: PictureSize) -> String {
    "pad=w='max(iw,ceil(ih*\(size.width)/\(size.height)))':h='max(ih,ceil(iw*\(size.height)/\(size.width)))'"
      + ":x=(ow-iw)/2:y=(oh-ih)/2,scale=\(size.width):\(size.height):flags=bicubic"
  }

  func start() throws { try process.run() }

  /// Passes the next picture; never waits for the program.
  func feed(_ jpeg: ByteBuffer) {
    queue.async { [self] in
      guard !isBroken.withLockedValue({ $0 }) else { return }
      do {
        try input.fileHandleForWriting.write(contentsOf: Data(jpeg.readableBytesView))
      } catch { isBroken.withLockedValue { $0 = true } }
    }
  }

  /// Ends the program.
  func stop() {
    isBroken.withLockedValue { $0 = true }
    queue.async { [self] in try? input.fileHandleForWriting.close() }
    if process.isRunning { process.terminate() }
    queue.async { [self] in process.waitUntilExit() }
  }
}
