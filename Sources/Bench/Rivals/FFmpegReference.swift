import Foundation
import Media
import NIOCore
import Packager
import Picture

/// The same stream from the same stills by the `ffmpeg` program: its decoder, scaler, denoiser, x264 settings and
/// muxer.
///
/// It codes repeats as ordinary pictures, because the program cannot mark them as skips.
struct FFmpegReference {
  let encoder: EncoderSettings
  let timeline: TimelineSettings

  /// The processor time in nanoseconds and the bytes of the result; `nil` if the program is not installed.
  func run(stills: [ByteBuffer], size: PictureSize) async throws -> (nanoseconds: Int64, bytes: Int)? {
    guard ExternalProgram.ffmpeg.isInstalled else { return nil }
    return try await withBenchFolder { folder in
      for (index, still) in stills.enumerated() {
        try Data(still.readableBytesView).write(to: folder.appending(path: "\(index).jpg"))
      }
      let output = folder.appending(path: "out.mp4")
      let arguments = arguments(folder, output: output, size: size)
      let before = CPUTime.children
      guard (try? await ExternalProgram.ffmpeg.output(arguments)) != nil else { return nil }
      return (CPUTime.children - before, try Data(contentsOf: output).count)
    }
  }

  private func arguments(_ folder: URL, output: URL, size: PictureSize) -> [String] {
    let rate = Ticks.perSecond / timeline.step.count
    let pictures = Int(timeline.segment.floorDivided(by: timeline.step))
    let kilobits = encoder.kilobits(for: size)
    return [
      "-v", "error", "-nostdin", "-framerate", "0.5", "-i", folder.appending(path: "%d.jpg").path,
      "-vf",
      "scale=\(size.width):\(size.height):flags=bicubic+accurate_rnd:in_range=full:out_range=limited,"
        + "format=yuv420p,hqdn3d=0.001:0.001:6:6,fps=\(rate)",
      "-c:v", "libx264", "-threads", "1", "-preset", encoder.preset.rawValue, "-tune", "zerolatency",
      "-crf", "\(encoder.crf)", "-maxrate", "\(kilobits)k",
      "-bufsize", "\(kilobits * Int(timeline.segment.count / Ticks.perSecond))k",
      "-x264-params", "sliced-threads=0:scenecut=0:keyint=\(pictures):min-keyint=\(pictures):ref=1",
      "-f", "mp4", "-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-y", output.path,
    ]
  }
}
