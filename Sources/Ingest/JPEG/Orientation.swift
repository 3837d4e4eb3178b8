import Media

/// How a picture must be rotated to be upright: the values of EXIF tag 0x0112 (Exif 2.32, section 4.6.4).
package enum Orientation: UInt16, Sendable, CaseIterable {
  /// Upright already.
  case upright = 1
  /// Mirrored left to right.
  case mirrored = 2
  /// Upside down.
  case upsideDown = 3
  /// Mirrored top to bottom.
  case flipped = 4
  /// Mirrored along the diagonal from top left.
  case transposed = 5
  /// Needs a quarter turn clockwise.
  case turnClockwise = 6
  /// Mirrored along the diagonal from top right.
  case transversed = 7
  /// Needs a quarter turn counterclockwise.
  case turnCounterclockwise = 8

  /// The orientation of a video by its display matrix (ISO/IEC 14496-12, section 8.3.2), nine numbers row by row; angles
  /// between are rounded to quarter turns.
  package init(matrix: UnsafePointer<Int32>) {
    // Where right (a, b) and down (c, d) of the stored picture point on the screen.
    let (a, b, c, d) = (Int64(matrix[0]), Int64(matrix[1]), Int64(matrix[3]), Int64(matrix[4]))
    if abs(a) + abs(d) >= abs(b) + abs(c) {
      self = a < 0 ? (d < 0 ? .upsideDown : .mirrored) : (d < 0 ? .flipped : .upright)
    } else {
      self = b > 0 ? (c > 0 ? .transposed : .turnClockwise) : (c > 0 ? .turnCounterclockwise : .transversed)
    }
  }

  /// Whether width and height are exchanged.
  package var swapsSides: Bool { rawValue >= 5 }

  /// The size on a viewer's screen of a picture stored in `size`.
  package func displayed(_ size: PictureSize) -> PictureSize { swapsSides ? size.turned : size }

  /// Where a point of the upright picture is in the stored picture; both in fractions of width and height.
  package func stored(_ point: UnitPoint) -> UnitPoint {
    let (x, y) = (point.x, point.y)
    return switch self {
    case .upright: UnitPoint(x: x, y: y)
    case .mirrored: UnitPoint(x: 1 - x, y: y)
    case .upsideDown: UnitPoint(x: 1 - x, y: 1 - y)
    case .flipped: UnitPoint(x: x, y: 1 - y)
    case .transposed: UnitPoint(x: y, y: x)
    case .turnClockwise: UnitPoint(x: y, y: 1 - x)
    case .transversed: UnitPoint(x: 1 - y, y: 1 - x)
    case .turnCounterclockwise: UnitPoint(x: 1 - y, y: x)
    }
  }

  /// The libavfilter filters that rotate the stored picture upright; empty if nothing needs to be done.
  package var filters: [String] {
    switch self {
    case .upright: []
    case .mirrored: ["hflip"]
    case .upsideDown: ["hflip", "vflip"]
    case .flipped: ["vflip"]
    case .transposed: ["transpose=cclock_flip"]
    case .turnClockwise: ["transpose=clock"]
    case .transversed: ["transpose=clock_flip"]
    case .turnCounterclockwise: ["transpose=cclock"]
    }
  }
}
