/// The sunlight that comes in through one window at one moment.
///
/// While the sun is beyond the back wall it shines through the window in the picture, later through one in the
/// right-hand wall behind the camera. Both project their panes and bars as a patch of light.
struct Sunbeam: Sendable {
  /// Toward the sun, length 1.
  let direction: Vector3

  /// Penumbra per metre: the sun is half a degree wide, and glass and haze blur it a little more.
  static let spread: Float = 0.006

  /// The share (0...1) of the sun's disc that a point sees through a window, furniture aside.
  func openness(at point: Vector3) -> Float {
    if direction.z > 0.02 {
      let near = crossing(point, Room.wall)
      let far = crossing(point, Room.wall + Room.thickness)
      let bars = crossing(point, Room.wall + Room.thickness * 0.6)
      let blur = 0.004 + 2 * Sunbeam.spread * near.distance
      let inner = Sunbeam.opening(near.x - Room.window.x, near.y - Room.window.y, Room.windowHalf, blur)
      guard inner > 0 else { return 0 }
      let outer = Sunbeam.opening(far.x - Room.window.x, far.y - Room.window.y, Room.windowHalf, blur)
      let upright = 1 - (bars.x - Room.window.x).covered(half: 0.017, blur: blur)
      let level = 1 - (bars.y - Room.transom).covered(half: 0.017, blur: blur)
      return inner.atMost(outer) * upright * level
    }
    guard direction.x > 0.05 else { return 0 }
    let way = (Room.sideWindow.x - point.x) / direction.x
    let z = point.z + direction.z * way - Room.sideWindow.z
    let y = point.y + direction.y * way - Room.sideWindow.y
    let blur = 0.006 + 2 * Sunbeam.spread * way
    let opening = Sunbeam.opening(z, y, Room.sideWindowHalf, blur)
    guard opening > 0 else { return 0 }
    let upright = 1 - z.covered(half: 0.03, blur: blur)
    let level = 1 - (y.magnitude - 0.16).covered(half: 0.022, blur: blur)
    return opening * upright * level
  }

  private func crossing(_ point: Vector3, _ z: Float) -> (x: Float, y: Float, distance: Float) {
    let way = (z - point.z) / direction.z
    return (point.x + direction.x * way, point.y + direction.y * way, way)
  }

  private static func opening(_ x: Float, _ y: Float, _ half: (Float, Float), _ blur: Float) -> Float {
    ((half.0 - x.magnitude).atMost(half.1 - y.magnitude) / blur + 0.5).clamped
  }
}
