import Media
import Picture

/// A polygon in pixels, even-odd, asked in the plainest way: the judge of the masks.
struct Polygon {
  typealias Point = (x: Double, y: Double)

  let points: [Point]
  private let edges: [(Point, Point)]

  init(_ corners: [UnitPoint], width: Int, height: Int) {
    points = corners.map { ($0.x * Double(width), $0.y * Double(height)) }
    edges = Array(zip(points, points.dropFirst() + points.prefix(1)))
  }

  func contains(_ x: Double, _ y: Double) -> Bool {
    var inside = false
    for (from, to) in edges where (from.y > y) != (to.y > y) {
      if x < from.x + (y - from.y) / (to.y - from.y) * (to.x - from.x) { inside.toggle() }
    }
    return inside
  }

  /// Whether any point of the closed rectangle is one of the polygon's.
  func touches(left: Double, top: Double, right: Double, bottom: Double) -> Bool {
    if contains((left + right) / 2, (top + bottom) / 2) { return true }
    return edges.contains { from, to in
      if max(from.x, to.x) < left || min(from.x, to.x) > right { return false }
      if max(from.y, to.y) < top || min(from.y, to.y) > bottom { return false }
      // The part of the edge, from 0 to 1, that lies in the rectangle (Liang and Barsky).
      var (start, end) = (0.0, 1.0)
      func clip(_ step: Double, _ distance: Double) {
        if step < 0 { start = max(start, distance / step) }
        if step > 0 { end = min(end, distance / step) }
      }
      let (dx, dy) = (to.x - from.x, to.y - from.y)
      clip(-dx, from.x - left)
      clip(dx, right - from.x)
      clip(-dy, from.y - top)
      clip(dy, bottom - from.y)
      return start <= end
    }
  }

  /// Per pixel, row by row, whether the polygon touches it or comes nearer than `margin`.
  func cover(width: Int, height: Int, margin: Double = 0) -> [Bool] {
    var cover = [Bool](repeating: false, count: width * height)
    guard let left = points.map(\.x).min(), let right = points.map(\.x).max(), let top = points.map(\.y).min(),
      let bottom = points.map(\.y).max()
    else { return cover }
    let columns = (Int((left - margin).rounded(.down)) - 1..<Int((right + margin).rounded(.up)) + 1)
    let rows = (Int((top - margin).rounded(.down)) - 1..<Int((bottom + margin).rounded(.up)) + 1)
    for y in rows.clamped(to: 0..<height) {
      for x in columns.clamped(to: 0..<width) {
        cover[y * width + x] = touches(
          left: Double(x) - margin, top: Double(y) - margin, right: Double(x + 1) + margin,
          bottom: Double(y + 1) + margin)
      }
    }
    return cover
  }
}
