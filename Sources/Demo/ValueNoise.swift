/// Smooth noise from hashed lattice points, for wood grain, plaster, hills and clouds.
///
/// The same seed and place always give the same value; no state, no table.
struct ValueNoise: Sendable {
  private let seed: UInt32

  init(seed: UInt64) { self.seed = UInt32(truncatingIfNeeded: seed ^ (seed >> 32)) }

  /// A uniform value in 0..<1 for a lattice point.
  func lattice(_ x: Int32, _ y: Int32) -> Float {
    var h = seed &+ UInt32(bitPattern: x) &* 0x9E37_79B1
    h ^= UInt32(bitPattern: y) &* 0x85EB_CA77
    h = (h ^ (h >> 15)) &* 0x2C1B_3C6D
    h = (h ^ (h >> 12)) &* 0x297A_2D39
    h ^= h >> 15
    return Float(h >> 8) * (1 / 16_777_216)
  }

  /// Noise in 0...1 that varies over about one unit of each coordinate.
  func value(_ x: Float, _ y: Float) -> Float {
    let fx = x.rounded(.down)
    let fy = y.rounded(.down)
    let ix = Int32(fx)
    let iy = Int32(fy)
    var tx = x - fx
    var ty = y - fy
    tx = tx * tx * (3 - 2 * tx)
    ty = ty * ty * (3 - 2 * ty)
    let upper = lattice(ix, iy).mixed(with: lattice(ix &+ 1, iy), tx)
    let lower = lattice(ix, iy &+ 1).mixed(with: lattice(ix &+ 1, iy &+ 1), tx)
    return upper.mixed(with: lower, ty)
  }

  /// Sum of `octaves` noises, each twice as fine and half as strong as the one before; stays in 0...1.
  func layered(_ x: Float, _ y: Float, octaves: Int) -> Float {
    var sum: Float = 0
    var share: Float = 0.5
    var total: Float = 0
    var px = x
    var py = y
    for _ in 0..<octaves {
      sum += share * value(px, py)
      total += share
      share *= 0.5
      // Rotated and offset a little, so that the lattices of the octaves do not line up.
      let turned = 1.6 * px + 1.2 * py + 17.3
      py = 1.6 * py - 1.2 * px + 9.1
      px = turned
    }
    return sum / total
  }
}
