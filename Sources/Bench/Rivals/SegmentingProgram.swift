import Foundation
import Media
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

  private let arguments: [String]
  private let pictures: AsyncStream<ByteBuffer>
  private let input: AsyncStream<ByteBuffer>.Continuation

  /// A program that writes below `folder`, with a playlist `WAY/index.m3u8` for each form.
  ///
  /// - Throws: the system's error if a folder cannot be made.
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
    self.arguments = arguments
    // Half a minute; a program that is further behind has stopped.
    (pictures, input) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(30 * Self.rate))
  }

  /// ffmpeg's filters that scale a picture to a size and keep its shape; options of the last may follow.
  static func fit(_ size: PictureSize) -> String {
    "pad=w='max(iw,ceil(ih*\(size.width)/\(size.height)))':h='max(ih,ceil(iw*\(size.height)/\(size.width)))'"
      + ":x=(ow-iw)/2:y=(oh-ih)/2,scale=\(size.width):\(size.height):flags=bicubic"
  }

  /// Runs the program until the task is cancelled. Where it ends by itself its ways show that.
  func run() async throws {
    try? await ExternalProgram.ffmpeg.run(arguments) { write in
      for await picture in pictures { try await write(picture) }
    }
    try await Task.sleep(for: .seconds(86_400))
  }

  /// Feeds the next picture; never waits for the program.
  func feed(_ jpeg: ByteBuffer) { input.yield(jpeg) }
}
