/// A light field at a fraction of its size, to look up blurred light.
struct CoarseField {
  private var cells: [Vector3]
  private let columns: Int
  private let rows: Int
  private let scale: Float
  /// How many lights were added to each cell.
  private var counts: [Float] = []

  /// Averages blocks of the picture, about a hundred of them to its height.
  init(_ values: [Float], width: Int, height: Int) {
    let block = max(1, height / 120)
    let columns = (width + block - 1) / block
    let rows = (height + block - 1) / block
    scale = 1 / Float(block)
    var cells = [Vector3](repeating: .zero, count: columns * rows)
    values.withUnsafeBufferPointer { values in
      for row in 0..<rows {
        for column in 0..<columns {
          let (right, bottom) = (min(width, (column + 1) * block), min(height, (row + 1) * block))
          var (red, green, blue): (Float, Float, Float) = (0, 0, 0)
          for y in row * block..<bottom {
            for x in column * block..<right {
              let at = (y * width + x) * 3
              red += values[at]
              green += values[at + 1]
              blue += values[at + 2]
            }
          }
          let count = Float((right - column * block) * (bottom - row * block))
          cells[row * columns + column] = Vector3(red, green, blue) * (1 / count)
        }
      }
    }
    self.cells = cells
    self.columns = columns
    self.rows = rows
  }

  /// An empty field with the same cells as another field.
  init(like other: CoarseField) {
    cells = [Vector3](repeating: .zero, count: other.cells.count)
    counts = [Float](repeating: 0, count: other.cells.count)
    (columns, rows, scale) = (other.columns, other.rows, other.scale)
  }

  /// Adds the light of one pixel of the full picture.
  mutating func add(_ light: Vector3, _ x: Int, _ y: Int) {
    let at = Int(Float(y) * scale) * columns + Int(Float(x) * scale)
    cells[at] += light
    counts[at] += 1
  }

  /// The mean of the lights that were added around a place; pixels that added none do not count.
  func mean(_ x: Float, _ y: Float) -> Vector3 {
    let spot = spot(x, y)
    let first = counts[spot.upper].mixed(with: counts[spot.upperNext], spot.tx)
    let second = counts[spot.lower].mixed(with: counts[spot.lowerNext], spot.tx)
    return light(x, y) * (1 / first.mixed(with: second, spot.ty).atLeast(1e-6))
  }

  /// The same light spread over about a tenth of the picture's height: three running means in both directions.
  func blurred() -> CoarseField {
    var field = self
    let reach = max(1, rows / 16)
    for _ in 0..<3 {
      for row in 0..<rows { field.smear(from: row * columns, step: 1, count: columns, reach) }
      for column in 0..<columns { field.smear(from: column, step: columns, count: rows, reach) }
    }
    return field
  }

  /// Replaces a line of cells by their running mean over `reach` cells to both sides; the ends repeat.
  private mutating func smear(from start: Int, step: Int, count: Int, _ reach: Int) {
    let line = (0..<count).map { cells[start + $0 * step] }
    var sum = Vector3.zero
    for offset in -reach...reach { sum += line[max(0, min(count - 1, offset))] }
    let share = 1 / Float(2 * reach + 1)
    for place in 0..<count {
      cells[start + place * step] = sum * share
      sum += line[min(count - 1, place + reach + 1)] - line[max(0, place - reach)]
    }
  }

  /// The light around a place, in pixels of the full picture; held within the picture.
  func light(_ x: Float, _ y: Float) -> Vector3 {
    let spot = spot(x, y)
    let first = cells[spot.upper].mixed(with: cells[spot.upperNext], spot.tx)
    let second = cells[spot.lower].mixed(with: cells[spot.lowerNext], spot.tx)
    return first.mixed(with: second, spot.ty)
  }

  /// The four cells around a place, and its position between them.
  private struct Spot {
    let upper: Int
    let upperNext: Int
    let lower: Int
    let lowerNext: Int
    let tx: Float
    let ty: Float
  }

  private func spot(_ x: Float, _ y: Float) -> Spot {
    let px = (x * scale - 0.5).atLeast(0).atMost(Float(columns - 1))
    let py = (y * scale - 0.5).atLeast(0).atMost(Float(rows - 1))
    let (column, row) = (Int(px), Int(py))
    let upper = row * columns + column
    let next = column + 1 < columns ? 1 : 0
    let lower = row + 1 < rows ? upper + columns : upper
    return Spot(
      upper: upper, upperNext: upper + next, lower: lower, lowerNext: lower + next, tx: px - Float(column),
      ty: py - Float(row))
  }
}
