import Foundation
import Ingest
import Media
import NIOCore
import Picture

/// Measures what one still costs until it is a picture of the stream, decoded in full and at the reduced size that the
/// camera's loop uses.
package struct StillBench {
  /// What one way costs and how good it is.
  package struct Result: Sendable {
    /// How often the sides are halved while decoding.
    package let reduction: Int
    /// Processor time from JPEG to the stream's picture, the median of some rounds, in nanoseconds.
    package let nanoseconds: Int64
    /// The most memory that the process took more than before, in KiB; `nil` if the system does not say.
    package let peakKiB: Int?
    /// How similar the picture is to the one decoded in full: SSIM of the luma, in millionths.
    package let similarity: Int
  }

  /// What a photo of a still costs beside its picture in the stream.
  package struct PhotoResult: Sendable {
    /// The photo's size; `nil` where the stream shows as much of the still.
    package let size: PictureSize?
    /// How often the sides are halved while decoding for both.
    package let reduction: Int
    /// Bytes of the JPEG.
    package let bytes: Int
    /// Processor time of decoding for both, and of making the photo of that, medians in nanoseconds.
    package let decoding: Int64
    package let making: Int64
    /// The most memory that the process took more than before, in KiB; `nil` if the system does not say.
    package let peakKiB: Int?
  }

  private let settings: PictureSettings

  /// A bench for streams of a size.
  package init(size: PictureSize) { settings = PictureSettings(size: size, denoise: 0, maxPixels: .max) }

  /// Measures a still in full, and at each size down to the one that is taken.
  ///
  /// - Throws: if it does not decode.
  package func run(_ jpeg: ByteBuffer, rounds: Int = 5) throws -> [Result] {
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    let deepest = PictureFilter(settings: settings).reduction(of: header)
    var measured: [(nanoseconds: Int64, peakKiB: Int?, luma: [[UInt8]])] = []
    // The cheapest way first: memory that one took and freed, the next takes without the kernel noticing.
    for reduction in (0...deepest).reversed() {
      var samples = Samples()
      var luma: [[UInt8]] = []
      let before = Self.resetPeak()
      for _ in 0..<rounds {
        var filter = PictureFilter(settings: settings)
        let start = CPUTime.thread
        let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
        let picture = try filter.process(frame, orientation: header.orientation, reduction: reduction)
        samples.add(CPUTime.thread - start)
        luma = picture.withPlane(0) { plane in (0..<plane.height).map { Array(plane.row($0)) } }
      }
      let peak = Self.peak
      measured.append((samples.median, before.flatMap { before in peak.map { max(0, $0 - before) } }, luma))
    }
    measured.reverse()
    return measured.enumerated().map { reduction, one in
      Result(
        reduction: reduction, nanoseconds: one.nanoseconds, peakKiB: one.peakKiB,
        similarity: Int(1_000_000 * Self.similarity(measured[0].luma, one.luma)))
    }
  }

  /// Measures the photo of a still.
  ///
  /// - Parameters:
  ///   - limit: the most that it may measure.
  ///   - quality: of the JPEG, 1 to 100.
  /// - Throws: if the still does not decode.
  package func photo(_ jpeg: ByteBuffer, limit: PictureSize, quality: Int, rounds: Int = 5) throws -> PhotoResult {
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    var maker = PhotoMaker(settings: settings, limit: limit, quality: quality)
    let reduction = maker.reduction(of: header)
    var (decoding, making) = (Samples(), Samples())
    var photo: Photo?
    let before = Self.resetPeak()
    for _ in 0..<rounds {
      let start = CPUTime.thread
      let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
      decoding.add(CPUTime.thread - start)
      let decoded = CPUTime.thread
      photo = try maker.photo(of: frame, header: header, reduction: reduction)
      making.add(CPUTime.thread - decoded)
    }
    let peak = Self.peak
    return PhotoResult(
      size: photo?.size, reduction: reduction, bytes: photo?.jpeg.readableBytes ?? 0, decoding: decoding.median,
      making: making.median, peakKiB: before.flatMap { before in peak.map { max(0, $0 - before) } })
  }

  /// Structural similarity (Wang et al., 2004) over 8x8 windows, four pixels apart.
  static func similarity(_ left: [[UInt8]], _ right: [[UInt8]]) -> Double {
    var (sum, count) = (0.0, 0.0)
    for top in stride(from: 0, through: left.count - 8, by: 4) {
      for side in stride(from: 0, through: left[top].count - 8, by: 4) {
        var (a, b, aa, bb, ab) = (0, 0, 0, 0, 0)
        for row in top..<top + 8 {
          for column in side..<side + 8 {
            let (x, y) = (Int(left[row][column]), Int(right[row][column]))
            (a, b, aa, bb, ab) = (a + x, b + y, aa + x * x, bb + y * y, ab + x * y)
          }
        }
        let (meanA, meanB) = (Double(a) / 64, Double(b) / 64)
        let (varA, varB) = (Double(aa) / 64 - meanA * meanA, Double(bb) / 64 - meanB * meanB)
        let covariance = Double(ab) / 64 - meanA * meanB
        let (c1, c2) = (6.5025, 58.5225)
        sum +=
          (2 * meanA * meanB + c1) * (2 * covariance + c2)
          / ((meanA * meanA + meanB * meanB + c1) * (varA + varB + c2))
        count += 1
      }
    }
    return count > 0 ? sum / count : 1
  }

  /// Makes the kernel forget the highest memory so far, and returns what there is now.
  private static func resetPeak() -> Int? {
    guard let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") else { return nil }
    defer { try? file.close() }
    guard (try? file.write(contentsOf: Data("5".utf8))) != nil else { return nil }
    return memory("VmRSS:")
  }

  private static var peak: Int? { memory("VmHWM:") }

  private static func memory(_ key: String) -> Int? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status?.split(separator: "\n").first { $0.hasPrefix(key) }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
  }
}

extension StillBench.PhotoResult: CustomStringConvertible {
  /// One line of the table that `quietcam bench still` prints.
  package var description: String {
    guard let size else { return "  no photo: the stream shows as much" }
    return "  photo of \(size), \(bytes) bytes: decoded at 1/\(1 << reduction) in \(milliseconds(decoding)) ms, "
      + "made in \(milliseconds(making)) ms, \(peakKiB.map { "\($0 / 1024) MiB" } ?? "unknown memory") more at most"
  }
}

extension StillBench.Result: CustomStringConvertible {
  /// One line of the table that `quietcam bench still` prints.
  package var description: String {
    "  decoded at 1/\(1 << reduction): \(milliseconds(nanoseconds)) ms, "
      + "\(peakKiB.map { "\($0 / 1024) MiB" } ?? "unknown memory") more at most, "
      + "SSIM with the full decode 0.\(String(1_000_000 + min(similarity, 999_999)).dropFirst())"
  }
}
