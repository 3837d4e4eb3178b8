/// One piece of the demo scene's furniture: a simple shape somewhere in the room, and what it is made of.
///
/// Every shape has a local frame whose second axis is its main axis.
struct Solid: Sendable {
  enum Shape: Sendable {
    /// Reaches `half` to both sides of the origin on each axis.
    case box(half: Vector3)
    case ellipsoid(radii: Vector3)
    /// Begins at the origin and rises along the second axis.
    case cone(height: Float, bottom: Float, top: Float)
    /// Grows from the origin along the first axis and sinks by `droop` times the square of the way.
    case leaf(length: Float, half: Float, droop: Float)
  }

  /// The role of a shape for light.
  struct Habits: OptionSet, Sendable {
    let rawValue: UInt8
    /// Throws shadows.
    static let casts = Habits(rawValue: 1)
    /// Too small to block the light of a whole window.
    static let small = Habits(rawValue: 8)
    /// Part of the desk lamp, whose own light passes it.
    static let lamp = Habits(rawValue: 2)
    /// Reflected in the desk.
    static let mirrored = Habits(rawValue: 4)
  }

  let shape: Shape
  let origin: Vector3
  let right: Vector3
  let up: Vector3
  let back: Vector3
  let finish: Finish
  let habits: Habits
  /// Middle and radius of a ball around the whole shape.
  let middle: Vector3
  let reach: Float

  /// `right` and `up` need not be exact: they are made into a right-angled frame.
  init(
    _ shape: Shape, at origin: Vector3, right: Vector3 = Vector3(1, 0, 0), up: Vector3 = Vector3(0, 1, 0),
    _ finish: Finish, _ habits: Habits = .casts
  ) {
    self.shape = shape
    self.origin = origin
    let main = up.normalized
    let side = (right - main * right.dot(main)).normalized
    self.right = side
    self.up = main
    self.back = side.cross(main)
    self.finish = finish
    self.habits = habits
    let (low, high) = Solid.bounds(shape)
    let centre = (low + high) * 0.5
    middle = origin + self.right * centre.x + self.up * centre.y + self.back * centre.z
    reach = ((high - low) * 0.5).length
  }

  /// Opposite corners of the box around a shape, in its own frame.
  private static func bounds(_ shape: Shape) -> (low: Vector3, high: Vector3) {
    switch shape {
    case .box(let half): return (half * -1, half)
    case .ellipsoid(let radii): return (radii * -1, radii)
    case .cone(let height, let bottom, let top):
      let radius = max(bottom, top)
      return (Vector3(-radius, 0, -radius), Vector3(radius, height, radius))
    case .leaf(let length, let half, let droop):
      return (Vector3(0, -droop * length * length, -half), Vector3(length, 0, half))
    }
  }

  /// The eight corners of the box around the shape, in the room.
  var corners: [Vector3] {
    let (low, high) = Solid.bounds(shape)
    return (0..<8).map { corner in
      toRoom(
        Vector3(
          corner & 1 == 0 ? low.x : high.x, corner & 2 == 0 ? low.y : high.y, corner & 4 == 0 ? low.z : high.z))
    }
  }

  var isLeaf: Bool { if case .leaf = shape { true } else { false } }

  func toRoom(_ p: Vector3) -> Vector3 { origin + right * p.x + up * p.y + back * p.z }

  func toLocal(_ point: Vector3) -> Vector3 { turned(point - origin) }

  /// A direction of the room in the shape's frame.
  func turned(_ d: Vector3) -> Vector3 { Vector3(right.dot(d), up.dot(d), back.dot(d)) }

  /// The ray parameter at which a ray first meets the shape, or infinity.
  func hit(_ start: Vector3, _ direction: Vector3) -> Float {
    let o = toLocal(start)
    let d = turned(direction)
    switch shape {
    case .box(let half):
      let (near, far) = Solid.slab(o, d, half)
      return near <= far && near > 0 ? near : .infinity
    case .ellipsoid(let radii):
      return Solid.ellipsoid(o, d, radii)
    case .cone(let height, let bottom, let top):
      return Solid.cone(o, d, height, bottom, (top - bottom) / height)
    case .leaf(let length, let half, let droop):
      return Solid.leaf(o, d, length, half, droop)
    }
  }

  /// Where a ray enters and leaves a box.
  static func slab(_ o: Vector3, _ d: Vector3, _ half: Vector3) -> (near: Float, far: Float) {
    let inverse = Vector3(1 / (d.x == 0 ? 1e-9 : d.x), 1 / (d.y == 0 ? 1e-9 : d.y), 1 / (d.z == 0 ? 1e-9 : d.z))
    let (nx, ny, nz) = (-o.x * inverse.x, -o.y * inverse.y, -o.z * inverse.z)
    let (kx, ky, kz) = (inverse.x.magnitude * half.x, inverse.y.magnitude * half.y, inverse.z.magnitude * half.z)
    return (
      (nx - kx).atLeast(ny - ky).atLeast(nz - kz), (nx + kx).atMost(ny + ky).atMost(nz + kz)
    )
  }

  private static func ellipsoid(_ o: Vector3, _ d: Vector3, _ radii: Vector3) -> Float {
    let inverse = Vector3(1 / radii.x, 1 / radii.y, 1 / radii.z)
    let p = o * inverse
    let q = d * inverse
    let a = q.dot(q)
    let b = p.dot(q)
    let root = b * b - a * (p.dot(p) - 1)
    return root > 0 && b < 0 ? (-b - root.squareRoot()) / a : .infinity
  }

  private static func leaf(_ o: Vector3, _ d: Vector3, _ length: Float, _ half: Float, _ droop: Float) -> Float {
    let t = sheet(o, d, droop, length)
    guard t > 0, t < .infinity else { return .infinity }
    return (o.z + t * d.z).magnitude < half * outline((o.x + t * d.x) / length) ? t : .infinity
  }

  private static func cone(_ o: Vector3, _ d: Vector3, _ height: Float, _ bottom: Float, _ slope: Float) -> Float {
    var nearest = Float.infinity
    let radius = bottom + slope * o.y
    let a = d.x * d.x + d.z * d.z - slope * slope * d.y * d.y
    let b = o.x * d.x + o.z * d.z - slope * d.y * radius
    let root = b * b - a * (o.x * o.x + o.z * o.z - radius * radius)
    if root > 0, a != 0 {
      let t = (-b - root.squareRoot()) / a
      let y = o.y + t * d.y
      if t > 0, y >= 0, y <= height { nearest = t }
    }
    if d.y != 0 {
      // Only the cap that faces the ray can be met first.
      let level = d.y < 0 ? height : 0
      let t = (level - o.y) / d.y
      let (x, z) = (o.x + t * d.x, o.z + t * d.z)
      let rim = bottom + slope * level
      if t > 0, x * x + z * z <= rim * rim { nearest = nearest.atMost(t) }
    }
    return nearest
  }

  /// Where a ray meets the bent sheet of a leaf within its length.
  static func sheet(_ o: Vector3, _ d: Vector3, _ droop: Float, _ length: Float) -> Float {
    let a = droop * d.x * d.x
    let b = 0.5 * d.y + droop * o.x * d.x
    let c = o.y + droop * o.x * o.x
    if a.magnitude < 1e-6 { return b == 0 ? .infinity : -c / (2 * b) }
    let root = b * b - a * c
    guard root > 0 else { return .infinity }
    let near = (-b - root.squareRoot()) / a
    let x = o.x + near * d.x
    return near > 0 && x > 0 && x < length ? near : (-b + root.squareRoot()) / a
  }

  /// Half the width of a leaf at a share of its length, 1 at the widest; negative outside.
  static func outline(_ s: Float) -> Float { s > 0 && s < 1 ? 2.6 * s.squareRoot() * (1 - s) : -1 }

  /// The outward normal in the shape's own frame at a point of its surface, given in that frame.
  func localNormal(at p: Vector3) -> Vector3 {
    switch shape {
    case .box(let half):
      let (x, y, z) = (p.x.magnitude - half.x, p.y.magnitude - half.y, p.z.magnitude - half.z)
      if x > y, x > z { return Vector3(p.x < 0 ? -1 : 1, 0, 0) }
      return y > z ? Vector3(0, p.y < 0 ? -1 : 1, 0) : Vector3(0, 0, p.z < 0 ? -1 : 1)
    case .ellipsoid(let r):
      return Vector3(p.x / (r.x * r.x), p.y / (r.y * r.y), p.z / (r.z * r.z)).normalized
    case .cone(let height, let bottom, let top):
      let edge = height * 1e-3
      if p.y >= height - edge { return Vector3(0, 1, 0) }
      if p.y <= edge { return Vector3(0, -1, 0) }
      let radius = (p.x * p.x + p.z * p.z).squareRoot()
      return Vector3(p.x, radius * (bottom - top) / height, p.z).normalized
    case .leaf(_, let half, let droop):
      // The two halves of the blade stand up a little from the rib.
      return Vector3(2 * droop * p.x, 1, -0.45 * (p.z / half + (p.z < 0 ? -0.5 : 0.5))).normalized
    }
  }
}
