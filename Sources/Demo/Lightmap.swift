/// The room's light over a flat surface, on a grid. Shadows are soft, so a coarse grid with straight lines between its
/// points looks the same as computing every pixel, at a fraction of the time.
struct Lightmap: Sendable {
  private static let block = 8

  private let left: Float
  private let near: Float
  private let spacing: Float
  private let columns: Int
  private let rows: Int
  private var cells: [Illumination]

  /// Covers the part from `low` to `high` of a surface with points `spacing` apart (metres); `place` puts the
  /// surface's two coordinates into the room.
  init(
    _ lights: RoomLight, from low: (Float, Float), to high: (Float, Float), spacing: Float, normal: Vector3,
    place: (Float, Float) -> Vector3
  ) {
    (left, near) = low
    self.spacing = spacing
    columns = Int((high.0 - low.0) / spacing) + 2
    rows = Int((high.1 - low.1) / spacing) + 2
    cells = [Illumination](repeating: Illumination(), count: columns * rows)
    let half = Float(Lightmap.block - 1) / 2
    for firstRow in stride(from: 0, to: rows, by: Lightmap.block) {
      for firstColumn in stride(from: 0, to: columns, by: Lightmap.block) {
        let middle = place(left + (Float(firstColumn) + half) * spacing, near + (Float(firstRow) + half) * spacing)
        let some = lights.around(Ball(middle, half * spacing * 1.42))
        for row in firstRow..<min(firstRow + Lightmap.block, rows) {
          for column in firstColumn..<min(firstColumn + Lightmap.block, columns) {
            let point = place(left + Float(column) * spacing, near + Float(row) * spacing)
            cells[row * columns + column] = some.shadowed(point, normal)
          }
        }
      }
    }
  }

  /// The light at a place, which is held within the grid.
  func light(_ across: Float, _ along: Float) -> Illumination {
    let x = ((across - left) / spacing).atLeast(0).atMost(Float(columns) - 1.001)
    let y = ((along - near) / spacing).atLeast(0).atMost(Float(rows) - 1.001)
    let (column, row) = (Int(x), Int(y))
    let at = row * columns + column
    let (tx, ty) = (x - Float(column), y - Float(row))
    let first = cells[at].mixed(with: cells[at + 1], tx)
    let second = cells[at + columns].mixed(with: cells[at + columns + 1], tx)
    return first.mixed(with: second, ty)
  }
}
