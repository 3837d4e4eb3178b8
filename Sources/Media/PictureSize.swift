/// The width and height of a picture in pixels.
public struct PictureSize: Hashable, Sendable {
  /// Pixels from left to right.
  public var width: Int
  /// Pixels from top to bottom.
  public var height: Int

  /// A size in pixels.
  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// Reads `640x480`; `nil` when the text is not two positive numbers of at most five digits around an `x`.
  public init?(_ text: some StringProtocol) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2,
      sides.allSatisfy({ (1...5).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }),
      let width = Int(sides[0]), let height = Int(sides[1]), width > 0, height > 0
    else { return nil }
    self.init(width: width, height: height)
  }

  /// Width times height.
  public var pixels: Int { width * height }

  /// The size of the picture after a quarter turn.
  public var turned: PictureSize { PictureSize(width: height, height: width) }
}

extension PictureSize: CustomStringConvertible {
  /// `640x480`.
  public var description: String { "\(width)x\(height)" }
}
