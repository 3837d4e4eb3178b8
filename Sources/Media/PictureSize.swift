/// The width and height of a picture in pixels.
package struct PictureSize: Hashable, Sendable {
  /// Pixels from left to right.
  package var width: Int
  /// Pixels from top to bottom.
  package var height: Int

  /// A size in pixels.
  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// Reads `640x480`; `nil` when the text is not two positive numbers of at most five digits around an `x`.
  package init?(_ text: some StringProtocol) {
    let sides = text.split(separator: "x", omittingEmptySubsequences: false)
    guard sides.count == 2,
      sides.allSatisfy({ (1...5).contains($0.count) && $0.utf8.allSatisfy { (48...57).contains($0) } }),
      let width = Int(sides[0]), let height = Int(sides[1]), width > 0, height > 0
    else { return nil }
    self.init(width: width, height: height)
  }

  /// Width times height.
  package var pixels: Int { width * height }

  /// The size of the picture after a quarter turn.
  package var turned: PictureSize { PictureSize(width: height, height: width) }
}

extension PictureSize: CustomStringConvertible {
  /// `640x480`.
  package var description: String { "\(width)x\(height)" }
}
