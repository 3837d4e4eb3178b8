import CFFmpeg
import Media

/// Measures how similar two pictures are: the structural similarity (SSIM; Wang, Bovik, Sheikh and Simoncelli, 2004) of
/// their luma in full range, by libavfilter.
package struct SimilarityMeter: ~Copyable {
  private static let chain =
    "[a]scale=out_range=full,format=gray[x];[b]scale=out_range=full,format=gray[y];[x][y]ssim"

  /// What a meter was made for.
  struct Shape: Equatable, Sendable {
    private let size: PictureSize
    private let formats: [Int32]
    private let ranges: [UInt32]

    init(_ left: borrowing Frame, _ right: borrowing Frame) {
      size = left.size
      formats = [left.format.rawValue, right.format.rawValue]
      ranges = [left.pointer.pointee.color_range.rawValue, right.pointer.pointee.color_range.rawValue]
    }
  }

  private var graph: Optional<FilterGraph>
  private var shape: Shape?
  private var time: Int64 = 0

  /// A meter. Its graph is made for the first pair of pictures, and again when their shape changes.
  package init() { graph = nil }

  /// The similarity of two pictures of one size; 1 for equal ones.
  package mutating func measure(_ picture: borrowing Frame, _ reference: borrowing Frame) throws(FFmpegError) -> Double
  {
    let left = try picture.shared()
    let right = try reference.shared()
    left.sayRangeByTag()
    right.sayRangeByTag()
    let new = Shape(left, right)
    if new != shape {
      graph = try FilterGraph(
        Self.chain, inputs: [("a", left.size, left.format), ("b", right.size, right.format)])
      shape = new
    }
    // Both pictures need the same time, and no time can be used twice.
    time += 1
    left.pointer.pointee.pts = time
    right.pointer.pointee.pts = time
    let output = try graph!.process([left.pointer, right.pointer])
    guard let entry = av_dict_get(output.pointer.pointee.metadata, "lavfi.ssim.Y", nil, 0),
      let value = Double(String(cString: entry.pointee.value))
    else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "filter ssim: no lavfi.ssim.Y came out")
    }
    return value
  }
}
