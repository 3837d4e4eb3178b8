import Ingest
import Media
import NIOCore
import Packager
import Picture

/// Compares the parts that viewers got of some cameras with the stills that these cameras sent.
struct FleetJudge {
  /// The parts of one camera that are compared at most.
  private static let mostParts = 40
  /// A part shows one of so many stills that were sent before it; it shows the one that it is most similar to.
  private static let candidates = 8

  private let stills: [ByteBuffer]

  init(stills: [ByteBuffer]) { self.stills = stills }

  /// The similarity (SSIM) of the last picture of each part to the still that it shows.
  ///
  /// - Throws: `FFmpegError`, `StillRefusal`, `Packager.FragmentReader.Damage`.
  func similarities(_ seen: [FleetTally.Seen], sent: [FleetTally.Sent], size: PictureSize) throws -> [Double] {
    var similarities: [Double] = []
    for (camera, parts) in Dictionary(grouping: seen, by: \.camera) {
      let own = sent.filter { $0.camera == camera }
      similarities += try compare(parts.sorted { $0.date < $1.date }, sent: own, size: size)
    }
    return similarities
  }

  private func compare(
    _ parts: [FleetTally.Seen], sent: [FleetTally.Sent], size: PictureSize
  ) throws -> [Double] {
    var decoder = try StreamDecoder()
    var meter = SimilarityMeter()
    var settings = PictureSettings(size: size)
    settings.denoise = 0
    var filter = PictureFilter(settings: settings)
    var (similarities, hasBegun): ([Double], Bool) = ([], false)
    for part in parts {
      let pictures = try Packager.FragmentReader.parts(in: part.bytes).flatMap(\.pictures)
      // Without the part before, nothing can be decoded until the next IDR picture.
      hasBegun = (hasBegun && part.follows) || pictures.first?.isIDR == true
      guard hasBegun, let last = pictures.last else { continue }
      for picture in pictures.dropLast() { _ = try decoder.decode(picture) }
      let shown = try decoder.decode(last)
      let before = sent.filter { $0.time <= part.date }.suffix(Self.candidates)
      var best: Double?
      for still in Set(before.map(\.still)) {
        let header = try JPEGHeader(stills[still], maxPixels: .max)
        let frame = try StillDecoder().decode(stills[still], header: header)
        let similarity = try meter.measure(shown, try filter.process(frame, orientation: header.orientation))
        best = max(best ?? similarity, similarity)
      }
      if let best { similarities.append(best) }
      if similarities.count == Self.mostParts { break }
    }
    return similarities
  }
}
