import Foundation
import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture
import Station

/// Measures what each stage of a still costs: decode, scale, filter, encode, package, publish.
package struct StageBench {
  private let stills: [ByteBuffer]
  private let encoder: EncoderSettings
  private let timeline: TimelineSettings

  /// A bench over these stills, one every two seconds.
  package init(stills: [ByteBuffer], encoder: EncoderSettings, timeline: TimelineSettings) {
    self.stills = stills
    self.encoder = encoder
    self.timeline = timeline
  }

  /// The processor time of one still at each stage, in nanoseconds: medians, but means for the encoder, because IDR
  /// pictures are rare and count.
  package struct Result: Sendable {
    /// The size of the stream.
    package let size: PictureSize
    /// The stages in order.
    package let stages: [(name: String, nanoseconds: Int64)]
    /// All stages of a still together with the repeats until the next.
    package let total: Int64
    /// The text of a live playlist of 30 segments, which is a part of publishing.
    package let playlist: Int64
    /// The same work by the `ffmpeg` program, with its start-up; `nil` if it is not installed.
    package let ffmpeg: Int64?
    /// Bytes of the parts, for each still.
    package let bytes: Int
    /// The same for ffmpeg's file.
    package let ffmpegBytes: Int?
  }

  /// Runs all stages at a size.
  ///
  /// - Throws: if a still does not decode or the encoder refuses the settings.
  package func run(size: PictureSize) async throws -> Result {
    var settings = PictureSettings(size: size)
    var (decode, scale, filter, new, repeated, idr, jpeg) = (
      Samples(), Samples(), Samples(), Samples(), Samples(), Samples(), Samples()
    )
    var (package, publish) = (Samples(), Samples())
    let decoder = StillDecoder()
    var filtering = PictureFilter(settings: settings)
    settings.denoise = 0
    var scaling = PictureFilter(settings: settings)
    var pictureEncoder = try PictureEncoder(
      settings: encoder, size: size, step: timeline.step, rateWindow: timeline.segment)
    var jpegEncoder = JPEGEncoder(quality: 75)
    let parameterSets = try parameterSets(size: size)
    var sink = PublishBench(size: size, encoder: encoder, timeline: timeline, parameterSets: parameterSets)
    let stepsPerStill = Int(Ticks.seconds(2).floorDivided(by: timeline.step))
    var pictures: [CodedPicture] = []
    var bytes = 0
    for still in stills {
      let header = try JPEGHeader(still, maxPixels: settings.maxPixels)
      let reduction = scaling.reduction(of: header)
      let scaled = try decoder.decode(still, header: header, reduction: reduction)
      let scaleStart = CPUTime.thread
      _ = try scaling.process(scaled, orientation: header.orientation, reduction: reduction)
      scale.add(CPUTime.thread - scaleStart)
      let start = CPUTime.thread
      let decoded = try decoder.decode(still, header: header, reduction: reduction)
      decode.add(CPUTime.thread - start)
      let filterStart = CPUTime.thread
      let picture = try filtering.process(decoded, orientation: header.orientation, reduction: reduction)
      filter.add(CPUTime.thread - filterStart)
      for step in 0..<stepsPerStill {
        let begin = CPUTime.thread
        let role: PictureEncoder.Role = sink.isAtSegmentStart && pictures.isEmpty ? .idr : step == 0 ? .new : .repeated
        pictures.append(try pictureEncoder.encode(picture, as: role))
        let spent = CPUTime.thread - begin
        if role == .idr { idr.add(spent) } else if role == .new { new.add(spent) } else { repeated.add(spent) }
        if pictures.count == timeline.stepsPerPart {
          let slot = sink.append(pictures)
          bytes += slot.bytes
          package.add(slot.package)
          publish.add(slot.publish)
          pictures.removeAll()
        }
      }
      _ = try jpeg.measure { try jpegEncoder.encode(picture) }
    }
    let count = Int64(stills.count)
    let filterOnly = max(0, filter.median - scale.median)
    let slots = Int64(stepsPerStill / timeline.stepsPerPart)
    let encode = (new.sum + repeated.sum + idr.sum) / count
    let reference = try await FFmpegReference(encoder: encoder, timeline: timeline).run(stills: stills, size: size)
    return Result(
      size: size,
      stages: [
        ("decode", decode.median), ("scale and colour", scale.median), ("filter (denoise)", filterOnly),
        ("encode: new picture", new.mean), ("encode: repeated picture", repeated.mean),
        ("encode: IDR picture", idr.mean),
        ("encode: all of a still's 2 s", encode), ("package: one part", package.median),
        ("publish: one part", publish.median), ("latest.jpg", jpeg.median),
      ],
      total: decode.median + filter.median + encode + slots * (package.median + publish.median) + jpeg.median,
      playlist: PlaylistBench().run(), ffmpeg: reference.map { $0.nanoseconds / count }, bytes: bytes / stills.count,
      ffmpegBytes: reference.map { $0.bytes / stills.count })
  }

  /// An encoder's parameter sets, before the measured encoder has encoded a picture.
  private func parameterSets(size: PictureSize) throws -> ParameterSets {
    var pictureEncoder = try PictureEncoder(
      settings: encoder, size: size, step: timeline.step, rateWindow: timeline.segment)
    _ = try pictureEncoder.encode(try Frame.slate(size: size), as: .idr)
    guard let parameterSets = pictureEncoder.parameterSets else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "libx264 gave no parameter sets")
    }
    return parameterSets
  }
}

extension StageBench.Result: CustomStringConvertible {
  /// The table that `quietcam bench stages` prints.
  package var description: String {
    var lines = ["\(size), ms of processor time for each still:"]
    let width = 32
    func row(_ name: String, _ value: String) {
      lines.append("  " + name + String(repeating: " ", count: max(1, width - name.count)) + value)
    }
    for stage in stages { row(stage.name, milliseconds(stage.nanoseconds)) }
    row("all", milliseconds(total))
    row("text of a playlist, 30 segments", "\((playlist + 50) / 100 * 100) ns")
    for form in TextFormBench.run() { row(form.name, form.value) }
    row("bytes of parts", "\(bytes)")
    if let ffmpeg, let ffmpegBytes {
      row("the ffmpeg program, all", milliseconds(ffmpeg))
      row("the ffmpeg program, bytes", "\(ffmpegBytes)")
      row("Quietcam : ffmpeg", "\(total * 100 / max(1, ffmpeg)) %")
    } else {
      row("the ffmpeg program", "not installed")
    }
    return lines.joined(separator: "\n")
  }
}
