import Media

/// The name of a photo: `photo-TIME-WIDTHxHEIGHT-TAG.jpg`. It contains everything in the list of photos, so the files
/// are their own index, and its random tag makes it unique, whatever clocks do.
package struct PhotoName: Hashable, Sendable {
  /// When its still came.
  package let time: WallTime
  /// The picture's size.
  package let size: PictureSize
  /// Sixteen random hexadecimal digits.
  package let tag: String

  /// A name for a picture, with a tag of its own.
  package init(time: WallTime, size: PictureSize, using generator: inout some RandomNumberGenerator) {
    self.time = WallTime(milliseconds: max(0, time.milliseconds))
    self.size = size
    let digits = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
    tag = String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Reads the name of a file; `nil` if it is not one of our photos.
  package init?(_ text: some StringProtocol) {
    guard text.utf8.count <= 80, text.hasPrefix(Self.prefix), text.hasSuffix(Self.suffix) else { return nil }
    let pieces = text.dropFirst(Self.prefix.count).dropLast(Self.suffix.count)
      .split(separator: "-", omittingEmptySubsequences: false)
    guard pieces.count == 3, (1...15).contains(pieces[0].utf8.count),
      pieces[0].utf8.allSatisfy({ (48...57).contains($0) }), let milliseconds = Int64(pieces[0]),
      let size = PictureSize(pieces[1]), pieces[2].utf8.count == 16,
      pieces[2].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    time = WallTime(milliseconds: milliseconds)
    self.size = size
    tag = String(pieces[2])
    // One picture has one name.
    guard description == text else { return nil }
  }

  private static let prefix = "photo-"
  private static let suffix = ".jpg"
}

extension PhotoName: CustomStringConvertible {
  /// The name itself.
  package var description: String { "\(Self.prefix)\(time.milliseconds)-\(size)-\(tag)\(Self.suffix)" }
}
