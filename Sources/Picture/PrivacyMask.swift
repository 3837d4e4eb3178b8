import CFFmpeg
import Ingest
import Media

/// An area of the upright picture that is hidden from all viewers.
package struct PrivacyMask: Hashable, Sendable {
  /// The corners in order, at least three; the area is closed from the last to the first (even-odd rule).
  package var corners: [UnitPoint]

  /// A mask over a polygon.
  package init(polygon corners: [UnitPoint]) { self.corners = corners }

  /// A mask over a rectangle.
  package init(rectangle: UnitRect) { corners = rectangle.corners }

  /// The runs of pixels in each row of a picture of `size` that are under the mask.
  ///
  /// Every pixel that the area touches counts as covered, with one more around it, so that neither rounding nor chroma
  /// subsampling lets an edge through.
  func spans(in size: PictureSize) -> [Int: [Range<Int>]] {
    let points = corners.map { (x: $0.x * Double(size.width), y: $0.y * Double(size.height)) }
    guard points.count >= 3, let top = points.map(\.y).min(), let bottom = points.map(\.y).max() else { return [:] }
    let firstRow = max(0, Int(top.rounded(.down)) - 1)
    let endRow = min(size.height, Int(bottom.rounded(.up)) + 1)
    guard firstRow < endRow else { return [:] }
    let edges = Array(zip(points, points.dropFirst() + points.prefix(1)))
    var rows: [Int: [Range<Int>]] = [:]
    for row in firstRow..<endRow {
      var runs: [Range<Int>] = []
      func cover(_ from: Double, _ to: Double) {
        let left = max(0, Int(from.rounded(.down)) - 1)
        let right = min(size.width, Int(to.rounded(.up)) + 1)
        if left < right { runs.append(left..<right) }
      }
      // The row's own pixels and those above and below it. A pixel that no edge touches is completely inside or
      // outside, which a line through its middle decides; one that an edge touches is covered, however thin the area
      // is.
      // whole, which one line through its middle tells, and one that an edge touches is covered however thin the area.
      for line in stride(from: Double(row) - 0.5, through: Double(row) + 1.5, by: 1) {
        let crossings = edges.compactMap { from, to in
          (from.y <= line) == (to.y <= line) ? nil : Self.crossing(from, to, at: line)
        }.sorted()
        for pair in stride(from: 0, to: crossings.count - 1, by: 2) { cover(crossings[pair], crossings[pair + 1]) }
      }
      let (above, below) = (Double(row) - 1, Double(row) + 2)
      for (first, second) in edges {
        let (upper, lower) = first.y <= second.y ? (first, second) : (second, first)
        guard upper.y <= below, lower.y >= above else { continue }
        let start = upper.y < above ? Self.crossing(upper, lower, at: above) : upper.x
        let end = lower.y > below ? Self.crossing(upper, lower, at: below) : lower.x
        cover(min(start, end), max(start, end))
      }
      if !runs.isEmpty { rows[row] = merged(runs) }
    }
    return rows
  }

  /// Where an edge that is not horizontal crosses a horizontal line.
  private static func crossing(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), at line: Double) -> Double
  {
    from.x + (line - from.y) / (to.y - from.y) * (to.x - from.x)
  }
}

/// The masks of a camera, prepared for stored pictures of one size, orientation and format.
struct MaskPainter {
  /// For each plane, the runs to blacken in each row.
  private let planes: [[(row: Int, run: Range<Int>)]]
  private let isRGB: Bool

  /// - Parameter cell: the side, in samples of each plane, of the blocks that the picture was decoded in, if that mixed
  ///   the pixels of a block; otherwise 1. A block that a mask touches is covered completely.
  /// - Throws: for formats whose planes do not have one byte for each sample, because only a part would be covered.
  init(
    _ masks: [PrivacyMask], size: PictureSize, orientation: Orientation, format: AVPixelFormat, cell: Int = 1
  ) throws(FFmpegError) {
    let description = av_pix_fmt_desc_get(format)?.pointee
    guard masks.isEmpty || description?.comp.0.step == 1 && description?.comp.0.depth == 8 else {
      throw FFmpegError(
        code: FFmpegError.unsupported,
        call: "privacy masks on pixel format \(format.rawValue): give a picture with 8-bit planes")
    }
    let shift = (Int(description?.log2_chroma_w ?? 0), Int(description?.log2_chroma_h ?? 0))
    isRGB = (description?.flags ?? 0) & UInt64(AV_PIX_FMT_FLAG_RGB) != 0
    let stored = masks.map { mask in
      // Fractions are rotated with the picture; the stored picture is painted.
      PrivacyMask(polygon: mask.corners.map(orientation.stored))
    }
    var luma: [(Int, Range<Int>)] = []
    for mask in stored { for (row, runs) in mask.spans(in: size) { luma += runs.map { (row, $0) } } }
    let chroma = luma.map { row, run in
      (row >> shift.1, run.lowerBound >> shift.0..<(run.upperBound + (1 << shift.0) - 1) >> shift.0)
    }
    let count = Int(description?.nb_components ?? 1)
    planes =
      [Self.widened(luma, to: cell)]
      + Array(repeating: Self.widened(isRGB ? luma : chroma, to: cell), count: max(0, min(count, 3) - 1))
  }

  /// The same runs, extended to the borders of cells of this many samples.
  private static func widened(_ runs: [(row: Int, run: Range<Int>)], to cell: Int) -> [(row: Int, run: Range<Int>)] {
    guard cell > 1 else { return runs }
    var cells: [Int: [Range<Int>]] = [:]
    for (row, run) in runs {
      let (first, end) = (run.lowerBound / cell * cell, (run.upperBound + cell - 1) / cell * cell)
      cells[row / cell, default: []].append(first..<end)
    }
    return cells.flatMap { row, runs in
      let runs = merged(runs)
      return (row * cell..<(row + 1) * cell).flatMap { row in runs.map { (row, $0) } }
    }
  }

  /// Blackens the masked areas of a full-range picture.
  func paint(_ frame: borrowing Frame) throws(FFmpegError) {
    guard planes.contains(where: { !$0.isEmpty }) else { return }
    try checked(av_frame_make_writable(frame.pointer), "av_frame_make_writable")
    for (plane, runs) in planes.enumerated() {
      let black: UInt8 = plane == 0 || isRGB ? 0 : 128
      frame.withPlane(plane) { samples in
        for (row, run) in runs where row < samples.height {
          samples.row(row)[run.clamped(to: 0..<samples.width)].update(repeating: black)
        }
      }
    }
  }
}

private func merged(_ runs: [Range<Int>]) -> [Range<Int>] {
  var result: [Range<Int>] = []
  for run in runs.sorted(by: { $0.lowerBound < $1.lowerBound }) {
    if let last = result.last, run.lowerBound <= last.upperBound {
      result[result.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
    } else {
      result.append(run)
    }
  }
  return result
}
