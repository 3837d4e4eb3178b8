/// The picture cut into square tiles, so that each ray is tried against only the solids near its tile.
struct TileGrid: Sendable {
  private static let side = 16

  private let width: Int
  private let height: Int
  private let across: Int
  /// For each tile, row by row, the numbers of the solids that might be seen in it.
  private var candidates: [[Int32]]

  init(lens: DemoLens, solids: [Solid]) {
    width = lens.width
    height = lens.height
    across = (width + TileGrid.side - 1) / TileGrid.side
    candidates = [[Int32]](repeating: [], count: across * ((height + TileGrid.side - 1) / TileGrid.side))
    for (number, solid) in solids.enumerated() {
      let places = solid.corners.map { lens.project($0) }
      let columns = tiles(places.map(\.x), within: width)
      let rows = tiles(places.map(\.y), within: height)
      for row in rows {
        for column in columns { candidates[row * across + column].append(Int32(number)) }
      }
    }
  }

  /// The tiles, on one axis, that the span of some places touches.
  private func tiles(_ places: [Float], within size: Int) -> Range<Int> {
    let held = places.map { Int($0.atLeast(-1).atMost(Float(size) + 1)) }
    let first = max(0, (held.min() ?? 0) - 1) / TileGrid.side
    let last = min(size - 1, (held.max() ?? 0) + 1) / TileGrid.side
    return first..<max(first, last + 1)
  }

  /// Number of tiles; the first one is in the upper left corner.
  var count: Int { candidates.count }

  /// Columns and rows of a tile.
  func pixels(of tile: Int) -> (columns: Range<Int>, rows: Range<Int>) {
    let (x, y) = (tile % across * TileGrid.side, tile / across * TileGrid.side)
    return (x..<min(x + TileGrid.side, width), y..<min(y + TileGrid.side, height))
  }

  /// Numbers of the solids that might be seen in a pixel.
  func candidates(_ x: Int, _ y: Int) -> [Int32] { candidates[y / TileGrid.side * across + x / TileGrid.side] }
}
