/// A point, a direction or a linear-light colour in the demo scene: metres (x right, y up, z away from the camera) or
/// red, green and blue.
struct Vector3: Sendable, Equatable {
  var x: Float
  var y: Float
  var z: Float

  static let zero = Vector3(0, 0, 0)

  init(_ x: Float, _ y: Float, _ z: Float) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// The same value three times; a grey.
  init(_ grey: Float) { self.init(grey, grey, grey) }

  static func + (a: Vector3, b: Vector3) -> Vector3 { Vector3(a.x + b.x, a.y + b.y, a.z + b.z) }
  static func - (a: Vector3, b: Vector3) -> Vector3 { Vector3(a.x - b.x, a.y - b.y, a.z - b.z) }
  static func * (a: Vector3, s: Float) -> Vector3 { Vector3(a.x * s, a.y * s, a.z * s) }
  static func * (a: Vector3, b: Vector3) -> Vector3 { Vector3(a.x * b.x, a.y * b.y, a.z * b.z) }
  static func += (a: inout Vector3, b: Vector3) { a = a + b }

  func dot(_ b: Vector3) -> Float { x * b.x + y * b.y + z * b.z }

  func cross(_ b: Vector3) -> Vector3 {
    Vector3(y * b.z - z * b.y, z * b.x - x * b.z, x * b.y - y * b.x)
  }

  var length: Float { dot(self).squareRoot() }

  var normalized: Vector3 { self * (1 / length.atLeast(1e-9)) }

  /// This colour or point moved by the share `t` (0...1) toward another.
  func mixed(with b: Vector3, _ t: Float) -> Vector3 { self + (b - self) * t }

  /// Rec. 709 luminance of a linear colour.
  var luminance: Float { 0.2126 * x + 0.7152 * y + 0.0722 * z }
}

extension Float {
  /// 0 below `low`, 1 above `high`, and a cubic without corners between; `low` may be the greater to run downhill.
  func smoothed(from low: Float, to high: Float) -> Float {
    let t = ((self - low) / (high - low)).clamped
    return t * t * (3 - 2 * t)
  }

  // `max` and `min` are generic, which costs a debug build ten times as much as these.

  func atLeast(_ low: Float) -> Float { self > low ? self : low }

  func atMost(_ high: Float) -> Float { self < high ? self : high }

  /// Held between 0 and 1.
  var clamped: Float { self < 0 ? 0 : (self > 1 ? 1 : self) }

  /// This value moved by the share `t` toward another.
  func mixed(with b: Float, _ t: Float) -> Float { self + (b - self) * t }

  /// How much of a soft-edged interval of half width `half` around 0 covers this point; the edge is `blur` wide.
  func covered(half: Float, blur: Float) -> Float {
    ((self + half) / blur + 0.5).clamped - ((self - half) / blur + 0.5).clamped
  }
}
