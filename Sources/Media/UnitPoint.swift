/// A point of a picture in fractions of its width and height, from 0 at top left to 1 at bottom right, so that it means
/// the same place when the camera changes its resolution.
package struct UnitPoint: Hashable, Sendable {
  /// From 0 at the left edge to 1 at the right.
  package var x: Double
  /// From 0 at the top edge to 1 at the bottom.
  package var y: Double

  /// A point at these fractions.
  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// A rectangle of a picture in fractions of its width and height.
package struct UnitRect: Hashable, Sendable {
  /// The corner nearest to the picture's top left.
  package var origin: UnitPoint
  /// A fraction of the picture's width.
  package var width: Double
  /// A fraction of the picture's height.
  package var height: Double

  /// A rectangle with this corner and these sides.
  package init(x: Double, y: Double, width: Double, height: Double) {
    origin = UnitPoint(x: x, y: y)
    self.width = width
    self.height = height
  }

  /// Whether it is inside the picture and not empty.
  package var isInside: Bool {
    origin.x >= 0 && origin.y >= 0 && width > 0 && height > 0 && origin.x + width <= 1.000_001
      && origin.y + height <= 1.000_001
  }

  /// The corners, in order around the rectangle.
  package var corners: [UnitPoint] {
    let (x, y) = (origin.x, origin.y)
    return [
      UnitPoint(x: x, y: y), UnitPoint(x: x + width, y: y), UnitPoint(x: x + width, y: y + height),
      UnitPoint(x: x, y: y + height),
    ]
  }

  /// The smallest rectangle around `points`, which must not be empty.
  package init(around points: [UnitPoint]) {
    let (xs, ys) = (points.map(\.x), points.map(\.y))
    let (left, top) = (xs.min() ?? 0, ys.min() ?? 0)
    self.init(x: left, y: top, width: (xs.max() ?? 0) - left, height: (ys.max() ?? 0) - top)
  }
}
