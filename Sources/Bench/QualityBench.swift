import Foundation
import Ingest
import Media
import NIOCore
import Packager
import Picture

/// Encodes stills in many ways and measures bytes and similarity: without a clock and without a server, every still as
/// soon as the one before is done.
package struct QualityBench {
  /// One way of encoding, swept over several strengths.
  struct Way {
    let name: String
    var picture: PictureSettings
    var timeline: TimelineSettings
    var settings: [(label: String, encoder: EncoderSettings)]
  }

  private let source: String
  private let stills: [ByteBuffer]
  private let scenes: [ByteBuffer]?
  private let every: Ticks
  private let picture: PictureSettings
  private let slack: Double

  /// A bench over these JPEGs.
  ///
  /// - Parameters:
  ///   - scenes: the true scene of each still as a JPEG of the highest quality; `nil` if it is not known.
  ///   - slack: how far the SSIM at the mark can be under that of the pushed stills.
  package init(
    source: String, stills: [ByteBuffer], scenes: [ByteBuffer]?, every: Ticks, picture: PictureSettings, slack: Double
  ) {
    precondition(scenes.map { $0.count == stills.count } ?? true, "a scene is missing for a still")
    self.source = source
    self.stills = stills
    self.scenes = scenes
    self.every = every
    self.picture = picture
    self.slack = slack
  }

  /// Measures every curve.
  ///
  /// - Parameters:
  ///   - only: measures the curves whose names contain this; all if it is empty.
  ///   - progress: gets the name of each curve before it is measured.
  /// - Throws: if a still does not decode or the encoder refuses its settings.
  package func run(only: String = "", progress: (String) -> Void) throws -> QualityResult {
    let bytes = stills.reduce(0) { $0 + $1.readableBytes }
    let pushed = try poll(stills, label: "as pushed")
    var result = QualityResult(
      source: source, stills: stills.count, stillBytes: bytes / stills.count,
      every: Double(every.count) / Double(Ticks.perSecond), polling: pushed.kilobytesPerMinute,
      pushedLikeScene: pushed.likeScene, mark: pushed.likeScene.map { $0 - slack } ?? 0.95, curves: [])
    progress("JPEG")
    var polled: [QualityResult.Point] = []
    for quality in [10, 20, 30, 40, 50, 65, 80, 90] {
      let again = try (scenes ?? stills).map { try recoded($0, quality: quality) }
      polled.append(try poll(again, label: "quality \(quality)"))
    }
    result.curves.append(QualityResult.Curve(name: "polling JPEGs", points: polled))
    for way in try ways() where only.isEmpty || way.name.contains(only) {
      progress(way.name)
      let points = try way.settings.map { try code(way, $0.encoder, label: $0.label) }
      result.curves.append(QualityResult.Curve(name: way.name, points: points))
    }
    result.compare()
    return result
  }

  private func ways() throws -> [Way] {
    let standard = try TimelineSettings()
    func sweep(_ preset: EncoderSettings.Preset) -> [(label: String, encoder: EncoderSettings)] {
      [31, 28, 25, 22, 19].map { ("CRF \($0)", EncoderSettings(preset: preset, crf: $0, ssim: 0)) }
    }
    var ways = [
      Way(
        name: "the defaults, other SSIM targets", picture: picture, timeline: standard,
        settings: [940, 962, EncoderSettings().ssim, 980, 986].map {
          ("SSIM target \($0)", EncoderSettings(ssim: $0))
        }),
      Way(name: "fixed CRF", picture: picture, timeline: standard, settings: sweep(EncoderSettings().preset)),
    ]
    for seconds: Int64 in [6, 12, 20, 30, 60] where Ticks.seconds(seconds) != standard.segment {
      ways.append(
        Way(
          name: "segment \(seconds) s", picture: picture, timeline: try TimelineSettings(segment: .seconds(seconds)),
          settings: sweep(EncoderSettings().preset)))
    }
    for preset: EncoderSettings.Preset in [.veryfast, .medium, .slow, .slower, .veryslow]
    where preset != EncoderSettings().preset {
      ways.append(
        Way(name: "preset \(preset.rawValue)", picture: picture, timeline: standard, settings: sweep(preset)))
    }
    for references in [1, 2, 5, 9, 16] where references != EncoderSettings().references {
      ways.append(
        Way(
          name: "references \(references)", picture: picture, timeline: standard,
          settings: sweep(EncoderSettings().preset).map { label, encoder in
            var other = encoder
            other.references = references
            return (label, other)
          }))
    }
    // The same quality with less and less room for its peaks.
    ways.append(
      Way(
        name: "max-kilobits", picture: picture, timeline: standard,
        settings: [20, 30, 50, 100, EncoderSettings().kilobits(for: picture.size)].map { (kilobits: Int) in
          ("at most \(kilobits) kbit/s", EncoderSettings(ssim: 0, maxKilobits: kilobits))
        }))
    for denoise in [0, 3, 6, 10, 15, 25] where denoise != picture.denoise {
      var other = picture
      other.denoise = denoise
      ways.append(
        Way(
          name: "denoise \(denoise)", picture: other, timeline: standard, settings: sweep(EncoderSettings().preset)))
    }
    return ways
  }

  private func perMinute(_ bytes: Int) -> Double {
    let seconds = Double(every.count) / Double(Ticks.perSecond) * Double(stills.count)
    return Double(bytes) * 60 / seconds / 1000
  }

  private func plain(_ settings: PictureSettings) -> PictureSettings {
    var plain = settings
    plain.denoise = 0
    return plain
  }

  private func recoded(_ jpeg: ByteBuffer, quality: Int) throws -> ByteBuffer {
    var filter = PictureFilter(settings: plain(picture))
    var encoder = JPEGEncoder(quality: quality)
    return try encoder.encode(try show(jpeg, with: &filter))
  }

  private func show(_ jpeg: ByteBuffer, with filter: inout PictureFilter) throws -> Frame {
    let header = try JPEGHeader(jpeg, maxPixels: picture.maxPixels)
    return try filter.process(try StillDecoder().decode(jpeg, header: header), orientation: header.orientation)
  }

  /// A JPEG as a page shows it: full range, not fitted.
  private func look(_ jpeg: ByteBuffer, with filter: inout PictureFilter) throws -> Frame {
    let header = try JPEGHeader(jpeg, maxPixels: picture.maxPixels)
    let decoded = try StillDecoder().decode(jpeg, header: header)
    let isAsShown =
      decoded.size == picture.size && header.orientation == .upright && picture.crop == nil && picture.masks.isEmpty
    if isAsShown { return decoded }
    return try filter.process(decoded, orientation: header.orientation)
  }

  private func poll(_ jpegs: [ByteBuffer], label: String) throws -> QualityResult.Point {
    var judge = Judge(settings: plain(picture))
    var filter = PictureFilter(settings: plain(picture))
    var bytes = 0
    for (index, jpeg) in jpegs.enumerated() {
      bytes += jpeg.readableBytes
      try judge.see(
        try look(jpeg, with: &filter), pushed: try look(stills[index], with: &judge.pushedFilter),
        scene: try scenes.map { try look($0[index], with: &judge.sceneFilter) })
    }
    return QualityResult.Point(
      label: label, kilobytesPerMinute: perMinute(bytes), likePushed: judge.likePushed, likeScene: judge.likeScene,
      milliseconds: 0)
  }

  /// Encodes all stills on the stream's grid as a camera's loop does, and compares each as a viewer sees it.
  private func code(_ way: Way, _ settings: EncoderSettings, label: String) throws -> QualityResult.Point {
    let timeline = way.timeline
    var filter = PictureFilter(settings: way.picture)
    var encoder = try PictureEncoder(
      settings: settings, size: picture.size, step: timeline.step, rateWindow: timeline.segment)
    var decoder = try StreamDecoder()
    var judge = Judge(settings: plain(picture))
    var segmenter = Segmenter(settings: timeline, firstSequence: 0)
    let stepsPerStill = max(1, Int(every.floorDivided(by: timeline.step)))
    var (bytes, work) = (0, Int64(0))
    var (idr, new) = (Sizes(), Sizes())
    var pictures: [CodedPicture] = []
    // Viewers rarely watch a stream from its first segment on: one segment of the last stills comes first and does not
    // count.
    let warmUp = Int(timeline.segment.floorDivided(by: every))
    for number in -warmUp..<stills.count {
      let index = (number % stills.count + stills.count) % stills.count
      let still = stills[index]
      if number == 0 { (bytes, work, idr, new) = (0, 0, Sizes(), Sizes()) }
      let start = CPUTime.thread
      let frame = try show(still, with: &filter)
      work += CPUTime.thread - start
      for step in 0..<stepsPerStill {
        let isFirst = segmenter.isAtSegmentStart && pictures.isEmpty
        let begin = CPUTime.thread
        let coded = try encoder.encode(frame, as: isFirst ? .idr : step == 0 ? .new : .repeated)
        work += CPUTime.thread - begin
        if coded.isIDR { idr.add(coded) } else if step == 0 { new.add(coded) }
        let seen = try decoder.decode(coded)
        if step == 0, number >= 0 {
          try judge.see(
            seen, pushed: try look(still, with: &judge.pushedFilter),
            scene: try scenes.map { try look($0[index], with: &judge.sceneFilter) })
        }
        pictures.append(coded)
        if pictures.count == timeline.stepsPerPart {
          bytes += segmenter.append(pictures).part.readableBytes
          pictures.removeAll(keepingCapacity: true)
        }
      }
    }
    // A run that ends within a segment has more IDR pictures, in place of new ones, than a stream.
    let length = every.count * Int64(stills.count)
    let fair = Double(length) / Double(timeline.segment.count)
    let surplus = (Double(idr.count) - fair) * max(0, idr.mean - new.mean)
    return QualityResult.Point(
      label: label, kilobytesPerMinute: perMinute(bytes - Int(surplus)), likePushed: judge.likePushed,
      likeScene: judge.likeScene, milliseconds: Double(work) / 1_000_000 / Double(stills.count))
  }
}

/// Compares what viewers see with what was pushed and with the scene.
private struct Judge: ~Copyable {
  var pushedFilter: PictureFilter
  var sceneFilter: PictureFilter
  private var meter = SimilarityMeter()
  private var pushed = 0.0
  private var scene: Double?
  private var count = 0.0

  init(settings: PictureSettings) {
    pushedFilter = PictureFilter(settings: settings)
    sceneFilter = PictureFilter(settings: settings)
  }

  var likePushed: Double { pushed / max(1, count) }
  var likeScene: Double? { scene.map { $0 / max(1, count) } }

  mutating func see(_ seen: borrowing Frame, pushed still: borrowing Frame, scene truth: consuming Frame?) throws {
    count += 1
    pushed += try meter.measure(seen, still)
    if let truth { scene = (scene ?? 0) + (try meter.measure(seen, truth)) }
  }
}

/// The mean size of some coded pictures.
private struct Sizes {
  private(set) var count = 0
  private var bytes = 0

  var mean: Double { Double(bytes) / Double(max(1, count)) }

  mutating func add(_ picture: CodedPicture) {
    count += 1
    bytes += picture.bytes.readableBytes
  }
}
