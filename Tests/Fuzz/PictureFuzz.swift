import ArgumentParser
import Ingest
import Logging
import Media
import NIOCore
import Picture
import TestSupport

/// The way of a still from its bytes to the stream's picture and to `latest.jpg`.
struct PictureFuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pictures", abstract: "Damaged JPEGs through header, decoder, masks, filters and encoders.")

  @OptionGroup var cases: Cases

  /// A filter lives on from picture to picture as it does in a camera's loop.
  private final class Line {
    var filter: PictureFilter
    var jpeg = JPEGEncoder(quality: 75)
    var encoder: PictureEncoder

    init(_ settings: PictureSettings) throws {
      filter = PictureFilter(settings: settings)
      encoder = try PictureEncoder(
        settings: EncoderSettings(preset: .ultrafast), size: settings.size, step: .seconds(1), rateWindow: .seconds(2))
    }
  }

  private static let maxPixels = 400_000

  private static var settings: [PictureSettings] {
    let small = PictureSize(width: 128, height: 96)
    return [
      PictureSettings(size: small, maxPixels: maxPixels),
      PictureSettings(
        size: PictureSize(width: 64, height: 128), fit: .cover, crop: UnitRect(x: 0.1, y: 0.2, width: 0.7, height: 0.7),
        isGray: true, blur: 2, denoise: 0, maxPixels: maxPixels),
      PictureSettings(
        size: small,
        masks: [
          PrivacyMask(rectangle: UnitRect(x: 0.5, y: 0.5, width: 0.5, height: 0.5)),
          PrivacyMask(polygon: [UnitPoint(x: 0, y: 0), UnitPoint(x: 0.9, y: 0.1), UnitPoint(x: 0.2, y: 1)]),
        ], maxPixels: maxPixels),
    ]
  }

  func run() throws {
    var logger = Logger(label: "fuzz")
    logger.logLevel = .critical
    FFmpegLog.redirect(to: logger)
    let seeds = try corpus(at: cases.corpus)
    let lines = try Self.settings.map(Line.init)
    let log = try CaseLog(cases)
    var (refused, undecodable, shown, unfiltered) = (0, 0, 0, 0)
    func tally() -> String {
      "\(refused) refused by their header, \(undecodable) by the decoder, \(unfiltered) by the filter, \(shown) shown"
    }
    for number in cases.first..<cases.first + cases.count {
      try log.begin(number, tally: tally())
      var random = SeededGenerator(seed: UInt64(number))
      let buffer = ByteBuffer(bytes: Self.picture(from: seeds, using: &random))
      guard let header = try? JPEGHeader(buffer, maxPixels: Self.maxPixels) else {
        refused += 1
        continue
      }
      let line = lines[number % lines.count]
      let reduction = line.filter.reduction(of: header)
      guard let frame = try? StillDecoder().decode(buffer, header: header, reduction: reduction) else {
        undecodable += 1
        continue
      }
      do {
        let picture = try line.filter.process(frame, orientation: header.orientation, reduction: reduction)
        shown += 1
        if number % 16 == 0 {
          _ = try line.jpeg.encode(picture)
          _ = try line.encoder.encode(picture, as: .new)
        }
      } catch {
        unfiltered += 1
      }
    }
    log.end(tally: tally())
  }

  /// A damaged picture: anywhere, or only where no marker is hit, so that the damage reaches the decoder.
  private static func picture(from seeds: [[UInt8]], using random: inout SeededGenerator) -> [UInt8] {
    let seed = seeds.randomElement(using: &random) ?? []
    let other = seeds.randomElement(using: &random) ?? []
    guard Int.random(in: 0..<3, using: &random) > 0 else {
      return Mutation.jpeg.applied(to: seed, mixing: other, most: 3, using: &random)
    }
    var bytes = seed
    let front = Bool.random(using: &random) ? bytes.count : min(bytes.count, 700)
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let at = Int.random(in: 2..<front, using: &random)
      guard bytes[at] != 0xFF, bytes[at - 1] != 0xFF else { continue }
      bytes[at] = UInt8.random(in: 0...0xFE, using: &random)
    }
    return bytes
  }
}
