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
  func run(stills: [ByteBuffer], size: PictureSize) throws -> (nanoseconds: Int64, bytes: Int)? {
    let program = ["/usr/bin/ffmpeg", "/usr/local/bin/ffmpeg"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let program else { return nil }
    let folder = FileManager.default.temporaryDirectory.appending(path: "quietcam-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for (index, still) in stills.enumerated() {
      try Data(still.readableBytesView).write(to: folder.appending(path: "\(index).jpg"))
    }
    let output = folder.appending(path: "out.mp4")
    let rate = Ticks.perSecond / timeline.step.count
    let pictures = Int(timeline.segment.floorDivided(by: timeline.step))
    let kilobits = encoder.kilobits(for: size)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = [
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
    let before = CPUTime.children
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    return (CPUTime.children - before, try Data(contentsOf: output).count)
  }
}
