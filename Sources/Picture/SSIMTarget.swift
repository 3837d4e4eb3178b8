import Glibc

/// Chooses how much coarser than its finest an encoder can be and still show every scene about equally well.
///
/// The target is a similarity (SSIM) between what viewers see and the source, on average over a segment. An IDR picture
/// is encoded as a trial, and how much worse the pictures after it are is learnt from segment to segment. All
/// similarities are compared by the binary logarithm of their difference to 1, which is nearly linear in the quantizer.
///
/// In a scene at rest every still shows the same once more, so what viewers see is nearer to the scene than any one
/// still, and most of its difference to the next still is that still's own noise. There, the difference can be a third
/// larger and the picture is still about as similar to the scene as the camera's own JPEG.
struct SSIMTarget {
  /// Quantizer steps that double a picture's difference.
  private static let stepsPerDoubling = 4.0
  /// The coarsest offset that is tried.
  private static let range = 0.0...14.0
  /// How much larger the difference can be in a scene at rest, and the range of a still's predicted share over which a
  /// scene comes to rest.
  private static let restAllowance = log2(1.35)
  private static let restRange = (from: Float(0.92), to: Float(0.97))
  /// The weight of one still when deciding whether a scene is at rest.
  private static let restWeight = 0.2
  /// Below this predicted share of a still, the scene has changed.
  private static let otherScene: Float = 0.3
  /// How much larger a segment's difference is than its IDR picture's, before anything is learnt.
  private static let firstLag = 0.7

  private let aim: Double
  private var lag = firstLag
  /// 0 for a scene in motion, 1 for one at rest.
  private var rest = 0.0
  private var idr: Double?
  private var sum = 0.0
  private var count = 0.0
  /// Quantizer steps above the finest.
  private(set) var offset = 0.0

  /// A target between 0 and 1.
  init(similarity: Double) { aim = Self.lack(similarity) }

  private static func lack(_ similarity: Double) -> Double { log2(max(1 - similarity, 1e-4)) }

  /// Learns from the segment that has ended.
  mutating func beginSegment() {
    if let idr, count > 1 { lag += 0.7 * (max(-1, min(2, sum / count - idr)) - lag) }
    (idr, sum, count) = (nil, 0, 0)
  }

  /// Judges an IDR picture that was encoded with the present offset.
  ///
  /// - Returns: whether it should be encoded again, with another offset.
  mutating func judge(idr similarity: Double) -> Bool {
    let lack = Self.lack(similarity)
    let better = offset + (aim + rest * Self.restAllowance - lag - lack) * Self.stepsPerDoubling
    let next = min(max(better, Self.range.lowerBound), Self.range.upperBound)
    // The pictures that follow take the small steps too. Otherwise the offset of a scene at rest would stay where it was
    // first good enough, and tell one time from another.
    defer { offset = next }
    return abs(next - offset) > 0.5
  }

  /// Takes a new picture as viewers see it.
  mutating func saw(_ similarity: Double, isIDR: Bool) {
    let lack = Self.lack(similarity)
    if isIDR { idr = lack }
    sum += lack
    count += 1
  }

  /// Learns how much of a new still the one before predicts: 1 for all of it. If it is almost nothing, the scene has
  /// changed, and learning starts again with the finest quantizer.
  mutating func observe(share: Float) {
    guard share >= Self.otherScene else {
      (offset, lag, idr, rest) = (0, Self.firstLag, nil, 0)
      return
    }
    let (from, to) = Self.restRange
    let now = Double(min(max((share - from) / (to - from), 0), 1))
    rest += Self.restWeight * (now - rest)
  }
}
