/// Soft shadows: how much a solid dims light, by tracing a single ray.
extension Solid {
  /// The share (0...1) of a light's rays that the solid keeps from `start`.
  ///
  /// `direction` has length 1 and points at the light, which is `distance` away; `blur` is half the width of the
  /// penumbra at the solid, metres.
  func shade(_ start: Vector3, _ direction: Vector3, distance: Float, blur: Float) -> Float {
    let o = toLocal(start)
    let d = turned(direction)
    let depth: Float
    switch shape {
    case .box(let half):
      let (near, far) = Solid.slab(o, d, half)
      // The way inside the box passes through zero at its edge, so it can stand for the distance to the edge.
      depth = far.atMost(distance) - near.atLeast(0)
    case .ellipsoid(let radii): depth = Solid.passing(o, d, radii)
    case .cone(let height, let bottom, let top): depth = Solid.passing(o, d, height, bottom, top, distance)
    case .leaf(let length, let half, let droop):
      // Light comes through a leaf.
      return 0.85 * Solid.passing(o, d, length, half, droop, within: distance).smoothed(from: -blur, to: blur)
    }
    return depth.smoothed(from: -blur, to: blur)
  }

  // Each of these tells how deep a ray passes inside the shape's outline; negative when it misses.

  private static func passing(_ o: Vector3, _ d: Vector3, _ radii: Vector3) -> Float {
    let inverse = Vector3(1 / radii.x, 1 / radii.y, 1 / radii.z)
    let p = o * inverse
    let q = d * inverse
    let ahead = -p.dot(q) / q.dot(q)
    guard ahead > 0 else { return -.infinity }
    return (1 - (p + q * ahead).length) * radii.x.atMost(radii.y).atMost(radii.z)
  }

  /// The cone is taken as rounded, about its axis; the axis is drawn in so that the rounding stays within.
  private static func passing(
    _ o: Vector3, _ d: Vector3, _ height: Float, _ bottom: Float, _ top: Float, _ distance: Float
  ) -> Float {
    let inset = bottom.atLeast(top).atMost(height / 2)
    let length = height - 2 * inset
    let base = Vector3(o.x, o.y - inset, o.z)
    let along = d.dot(base)
    // The closest points of ray and axis.
    var t: Float = 0
    let under = 1 - d.y * d.y
    if length > 0, under > 1e-5 { t = ((base.y - d.y * along) / under).atLeast(0).atMost(length) }
    let ahead = (t * d.y - along).atLeast(0).atMost(distance)
    let gap = Vector3(base.x + d.x * ahead, base.y + d.y * ahead - t, base.z + d.z * ahead).length
    return bottom.mixed(with: top, (inset + t) / height) - gap
  }

  private static func passing(
    _ o: Vector3, _ d: Vector3, _ length: Float, _ half: Float, _ droop: Float, within distance: Float
  ) -> Float {
    let t = sheet(o, d, droop, length)
    guard t > 0.001, t < distance else { return -.infinity }
    let s = (o.x + t * d.x) / length
    let margin = half * outline(s.atLeast(0.001).atMost(0.999)) - (o.z + t * d.z).magnitude
    return margin.atMost(s.atMost(1 - s) * length)
  }

  /// Roughly how far a point outside is from the solid; for the shade at contact, within some 10 cm.
  func clearance(_ point: Vector3) -> Float {
    let p = toLocal(point)
    switch shape {
    case .box(let half):
      return Vector3(
        (p.x.magnitude - half.x).atLeast(0), (p.y.magnitude - half.y).atLeast(0), (p.z.magnitude - half.z).atLeast(0)
      ).length
    case .ellipsoid(let radii):
      let share = Vector3(p.x / radii.x, p.y / radii.y, p.z / radii.z).length
      return ((share - 1) * radii.x.atMost(radii.y).atMost(radii.z)).atLeast(0)
    case .cone(let height, let bottom, let top):
      let across = (p.x * p.x + p.z * p.z).squareRoot() - bottom.mixed(with: top, (p.y / height).clamped)
      let beyond = (-p.y).atLeast(p.y - height)
      return Vector3(across.atLeast(0), beyond.atLeast(0), 0).length
    case .leaf:
      return .infinity
    }
  }
}
