/// The demo camera's lens: maps between pixels and places in the room.
///
/// It looks straight along z with the picture plane shifted down, so upright edges stay upright. The same part of the
/// room fills the height of every picture of 4:3 or wider; wider pictures see more at the sides.
struct DemoLens: Sendable {
  static let eye = Vector3(0, 1.27, 0)

  let width: Int
  let height: Int
  /// Side of a pixel, at a depth of 1 m.
  let step: Float
  private let left: Float
  private let top: Float

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    let tall: Float = 0.554
    step = max(tall / Float(height), tall * 4 / 3 / Float(width))
    left = -step * Float(width) / 2
    top = -0.058 + step * Float(height) / 2
  }

  /// The direction through a place on the picture (pixels from the upper left corner, centres at halves); its z is 1,
  /// so a ray parameter is a depth.
  func direction(_ x: Float, _ y: Float) -> Vector3 { Vector3(left + x * step, top - y * step, 1) }

  /// Where a point in front of the camera falls on the picture.
  func project(_ point: Vector3) -> (x: Float, y: Float) {
    let seen = point - DemoLens.eye
    return ((seen.x / seen.z - left) / step, (top - seen.y / seen.z) / step)
  }
}
