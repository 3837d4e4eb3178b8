/// Flat pictures on things: the monitor's editor window, the keyboard's keys, the print on the wall.
enum Prints {
  /// Lines of coloured code on a dark ground with a bar at the left; coordinates from -1 to 1, `pixel` in the same.
  static func editor(_ x: Float, _ y: Float, _ noise: ValueNoise, _ pixel: Float) -> Vector3 {
    let ground = Vector3(0.030, 0.042, 0.060)
    let side = Vector3(0.050, 0.068, 0.092)
    if y > 0.86 { return x < -0.82 && (abs(x + 0.9) < 0.05) ? Vector3(0.5, 0.2, 0.15) : Vector3(0.09, 0.11, 0.14) }
    let left: Float = -0.62
    guard y > -0.93 else { return x < left ? side : ground }
    let pitch: Float = 0.105
    let row = ((0.80 - y) / pitch).rounded(.down)
    let across = (0.80 - y) / pitch - row - 0.5
    let ink = across.covered(half: 0.24, blur: max(pixel / pitch, 0.05))
    if x < left {
      let end = -0.92 + 0.22 * noise.lattice(Int32(row), 5)
      let name = x > -0.94 && x < end && noise.lattice(Int32(row), 6) > 0.25 ? ink : 0
      return side.mixed(with: Vector3(0.30, 0.36, 0.42), name)
    }
    let colours = [
      Vector3(0.62, 0.70, 0.78), Vector3(0.25, 0.55, 0.85), Vector3(0.75, 0.45, 0.20), Vector3(0.40, 0.70, 0.35),
      Vector3(0.70, 0.36, 0.62),
    ]
    let indent = 0.10 * (noise.lattice(Int32(row / 2), 8) * 3).rounded(.down)
    var start = left + 0.08 + indent
    guard noise.lattice(Int32(row), 9) > 0.14 else { return ground }
    let words = 2 + Int32(noise.lattice(Int32(row), 10) * 4)
    for word in 0..<words {
      let end = start + 0.07 + 0.22 * noise.lattice(Int32(row), 20 + word)
      if x > start, x < end {
        let edge = (min(x - start, end - x) / max(pixel, 0.008) + 0.4).clamped
        let colour = colours[Int(noise.lattice(Int32(row), 40 + word) * 4.99)]
        return ground.mixed(with: colour, ink * edge)
      }
      start = end + 0.035
    }
    return ground
  }

  /// Rows of keys; coordinates from -1 to 1 across the top, x right and z away from the viewer.
  static func keys(_ x: Float, _ z: Float, base: Vector3, _ pixel: Float) -> Vector3 {
    guard abs(x) < 0.96, abs(z) < 0.90 else { return base }
    let row = ((z + 0.9) / 0.36).rounded(.down)
    let deep = (z + 0.9) / 0.36 - row - 0.5
    let column = (x + 0.96) / 0.128 + 0.25 * row
    let wide = column - column.rounded(.down) - 0.5
    let key = deep.covered(half: 0.36, blur: max(pixel / 0.36, 0.1))
    let bar = row == 0 && abs(x + 0.05) < 0.40
    let gaps = bar ? 1 : wide.covered(half: 0.40, blur: max(pixel / 0.3, 0.1))
    return base.mixed(with: Vector3(0.56, 0.55, 0.53), key * gaps)
  }

  /// A framed print: a sun over two hills, on a mount.
  static func landscape(
    _ p: Vector3, _ shape: Solid.Shape, _ noise: ValueNoise, _ pixel: Float, frame: Vector3, _ normal: Vector3
  ) -> Vector3 {
    guard case .box(let half) = shape, normal.z < 0 else { return frame }
    let edge = min(half.x - abs(p.x), half.y - abs(p.y))
    let mount = Vector3(0.74, 0.72, 0.66)
    if edge < 0.012 { return frame.mixed(with: mount, ((edge - 0.012) / pixel + 0.5).clamped) }
    guard edge > 0.045 else { return mount }
    let (x, y) = (p.x / half.x, p.y / half.y)
    var colour = Vector3(0.70, 0.50, 0.30).mixed(with: Vector3(0.62, 0.60, 0.50), (y + 0.6).clamped)
    let disc = 0.17 - ((x - 0.15) * (x - 0.15) + (y - 0.25) * (y - 0.25) * 1.7).squareRoot()
    colour = colour.mixed(with: Vector3(0.72, 0.20, 0.08), (disc / (pixel / half.x) + 0.5).clamped)
    for hill in 0..<3 {
      let ridge = 0.05 - 0.26 * Float(hill) + 0.30 * (noise.value(x * 1.7 + Float(hill) * 5.2, 0.5) - 0.5)
      let shades = [Vector3(0.30, 0.33, 0.34), Vector3(0.13, 0.20, 0.23), Vector3(0.05, 0.09, 0.12)]
      colour = colour.mixed(with: shades[hill], ((ridge - y) / (pixel / half.y) + 0.5).clamped)
    }
    return colour
  }
}
