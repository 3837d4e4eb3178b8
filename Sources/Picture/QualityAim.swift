import Glibc

/// Chooses how much coarser than its finest an encoder may be and still show every scene about equally well.
///
/// The aim is a similarity (SSIM) between what viewers see and what was to be coded, on average over a segment. An IDR
/// picture is tried out, and how far the pictures after it fall behind is learnt from segment to segment. All
/// similarities are compared by the binary logarithm of what they lack to 1, which is nearly linear in the quantizer.
struct QualityAim {
  /// Quantizer steps that double what a picture lacks.
  private static let stepsPerDoubling = 4.0
  /// The coarsest that is tried.
  private static let range = 0.0...14.0
  /// What a segment lacks more than its IDR picture, before anything is learnt.
  private static let firstLag = 0.7

  private let aim: Double
  private var lag = firstLag
  private var idr: Double?
  private var sum = 0.0
  private var count = 0.0
  /// Quantizer steps above the finest.
  private(set) var offset = 0.0

  /// An aim between 0 and 1.
  init(similarity: Double) { aim = Self.lack(similarity) }

  private static func lack(_ similarity: Double) -> Double { log2(max(1 - similarity, 1e-4)) }

  /// Learns from the segment that has ended.
  mutating func beginSegment() {
    if let idr, count > 1 { lag += 0.7 * (max(-1, min(2, sum / count - idr)) - lag) }
    (idr, sum, count) = (nil, 0, 0)
  }

  /// Judges an IDR picture that was coded with the present offset.
  ///
  /// - Returns: whether it should be coded again, with another offset.
  mutating func judge(idr similarity: Double) -> Bool {
    let lack = Self.lack(similarity)
    let better = offset + (aim - lag - lack) * Self.stepsPerDoubling
    let next = min(max(better, Self.range.lowerBound), Self.range.upperBound)
    guard abs(next - offset) > 0.5 else { return false }
    offset = next
    return true
  }

  /// Takes in a new picture as viewers see it.
  mutating func saw(_ similarity: Double, isIDR: Bool) {
    let lack = Self.lack(similarity)
    if isIDR { idr = lack }
    sum += lack
    count += 1
  }

  /// Begins again with the finest: another scene has come.
  mutating func sceneChanged() { (offset, lag, idr) = (0, Self.firstLag, nil) }
}
