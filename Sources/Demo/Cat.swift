import Glibc

/// The cat on the window sill: it sits with its back to the room and looks out; only the tip of its tail moves.
enum Cat {
  static let fur = Vector3(0.36, 0.165, 0.060)
  private static let seat = Vector3(-0.235, Room.sill, 2.57)

  static var sitting: [Solid] {
    let coat = Finish(.fur, fur)
    let dark = Finish(Vector3(0.20, 0.085, 0.035))
    return [
      Solid(.ellipsoid(radii: Vector3(0.086, 0.080, 0.085)), at: seat + Vector3(0, 0.070, 0), coat),
      Solid(.ellipsoid(radii: Vector3(0.066, 0.105, 0.066)), at: seat + Vector3(-0.004, 0.135, 0.01), coat),
      Solid(.ellipsoid(radii: Vector3(0.048, 0.060, 0.050)), at: seat + Vector3(-0.008, 0.215, 0.015), coat),
      Solid(.ellipsoid(radii: Vector3(0.055, 0.046, 0.052)), at: seat + Vector3(-0.013, 0.268, 0.015), coat),
      Solid(
        .cone(height: 0.050, bottom: 0.024, top: 0.002), at: seat + Vector3(-0.042, 0.288, 0.015),
        up: Vector3(-0.38, 1, 0), dark),
      Solid(
        .cone(height: 0.050, bottom: 0.024, top: 0.002), at: seat + Vector3(0.015, 0.289, 0.015),
        up: Vector3(0.34, 1, 0), dark),
    ]
  }

  /// Points along the tail from root to tip, with its radius there; it hangs from the sill and sways.
  static func tail(milliseconds: Int64) -> [(place: Vector3, radius: Float)] {
    let beat = Float(milliseconds % 7_000) / 7_000 * 2 * Float.pi
    let slow = Float(milliseconds % 23_000) / 23_000 * 2 * Float.pi
    let sway = (0.75 + 0.25 * sinf(slow)) * sinf(beat)
    var place = seat + Vector3(0.045, 0.022, -0.078)
    var heading: Float = -0.25
    return (0...14).map { joint in
      let way = Float(joint) / 14
      let point = (place, Float(0.0175).mixed(with: 0.0115, way))
      // Over the edge of the sill, then down; the nearer the tip, the more it swings and curls.
      let rest = way < 0.25 ? Float(0.5).mixed(with: 1.62, way / 0.25) : 1.62 - 1.5 * max(0, way - 0.62)
      heading = rest + 0.35 * sway * way + 1.0 * sway * max(0, way - 0.55)
      place += Vector3(0.0165 * cosf(heading), -0.0165 * sinf(heading), way < 0.2 ? -0.008 : 0)
      return point
    }
  }
}
