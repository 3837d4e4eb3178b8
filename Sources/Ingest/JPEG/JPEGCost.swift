import Media

/// How long a picture takes to decode, judged by its markers and the bytes between them.
///
/// Pixels alone do not tell: a picture with many scans is passed over as often, and a scan that refines the others
/// (ITU-T T.81, section G.1.2.3) reads its bytes bit by bit. The numbers are nanoseconds of one core of about 2020 with
/// FFmpeg's decoder, measured with smooth pictures, noise, and pictures made to take long; none took more than twice as
/// long as this says.
struct JPEGCost {
  /// What one picture may cost for each pixel that is allowed: some four times that of an ordinary progressive one.
  private static let mostPerPixel = 25
  /// What is never too much: a quarter of a second.
  private static let free = 250_000_000

  private let isProgressive: Bool
  /// The samples of each component.
  private let samples: [Int]
  /// So far.
  private(set) var nanoseconds = 0

  /// The cost of a frame without its scans.
  ///
  /// - Parameter samplings: the sampling factors of its components, horizontal in the upper half.
  init(size: PictureSize, samplings: [UInt8], isProgressive: Bool) {
    self.isProgressive = isProgressive
    let (across, down) = (samplings.map { Int($0 >> 4) }.max() ?? 1, samplings.map { Int($0 & 15) }.max() ?? 1)
    samples = samplings.map { size.pixels * Int($0 >> 4) * Int($0 & 15) / (across * down) }
    if isProgressive { nanoseconds = 2 * samples.reduce(0, +) }
  }

  /// Adds a scan.
  ///
  /// - Parameters:
  ///   - components: their places in the frame.
  ///   - refines: whether it adds bits to coefficients that came before.
  ///   - bytes: how long its coded data is.
  mutating func add(scanOf components: [Int], refines: Bool, bytes: Int) {
    let passed = components.reduce(0) { $0 + samples[$1] }
    nanoseconds += isProgressive ? passed / 2 + bytes * (refines ? 25 : 8) : 2 * passed + 5 * bytes
  }

  /// Whether no picture of the allowed size may cost so much.
  func isTooMuch(maxPixels: Int) -> Bool {
    nanoseconds > Self.free && nanoseconds / Self.mostPerPixel > maxPixels
  }
}
