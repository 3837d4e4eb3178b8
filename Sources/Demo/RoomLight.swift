/// How much of each light of the room reaches a point. Multiplied by the lights' colours of the moment it is the
/// point's brightness, so it is computed once for all times of day.
struct Illumination: Sendable {
  var sky: Float = 0
  var room: Float = 0
  var lamp: Float = 0
  var screen: Float = 0

  func mixed(with b: Illumination, _ t: Float) -> Illumination {
    Illumination(
      sky: sky.mixed(with: b.sky, t), room: room.mixed(with: b.room, t), lamp: lamp.mixed(with: b.lamp, t),
      screen: screen.mixed(with: b.screen, t))
  }
}

/// The lights of the room other than the sun, and what blocks them.
struct RoomLight: Sendable {
  private struct Pane {
    let middle: Vector3
    let normal: Vector3
    let half: (Float, Float)
    let strength: Float
    let spread: Float
  }

  /// The window in the picture, a large one at the left out of sight, the sun's one at the right.
  private static let panes = [
    Pane(middle: Room.window, normal: Vector3(0, 0, -1), half: Room.windowHalf, strength: 0.62, spread: 0.26),
    Pane(
      middle: Vector3(-1.9, 1.65, 1.35), normal: Vector3(1, 0, 0), half: (0.75, 0.55), strength: 2.7, spread: 0.42),
    Pane(
      middle: Room.sideWindow, normal: Vector3(-1, 0, 0), half: Room.sideWindowHalf, strength: 0.75, spread: 0.20),
  ]
  private static let lampSpread: Float = 0.07

  private var contacts: ShadowCasters
  private var paneCasters: [ShadowCasters]
  private var lampCasters: ShadowCasters

  /// Shadows are never sharper than `edge` metres, which keeps them smooth on a grid of that spacing.
  init(_ solids: [Solid], edge: Float) {
    // Small leaves cost much and hardly dim light as wide as a window's.
    let broad = ShadowCasters(solids, edge: edge) { $0.contains(.casts) && !$0.contains(.small) }
    contacts = broad
    paneCasters = RoomLight.panes.map { _ in broad }
    lampCasters = ShadowCasters(solids, edge: edge) { $0.contains(.casts) && !$0.contains(.lamp) }
  }

  /// The same lights with only what can shade the points of a ball.
  func around(_ part: Ball) -> RoomLight {
    var some = self
    some.contacts = contacts.near(part, reach: 0.2)
    for (index, pane) in RoomLight.panes.enumerated() {
      let way = pane.middle - part.middle
      some.paneCasters[index] = paneCasters[index].toward(
        way.normalized, distance: way.length, spread: pane.spread, from: part)
    }
    let way = Room.bulb - part.middle
    some.lampCasters = lampCasters.toward(
      way.normalized, distance: way.length, spread: RoomLight.lampSpread, from: part)
    return some
  }

  /// The light at a point without the shadows of the furniture: for the furniture itself.
  static func unshaded(_ point: Vector3, _ normal: Vector3) -> Illumination {
    var light = Illumination(room: 0.58 + 0.22 * normal.y - 0.20 * normal.z)
    for pane in panes { light.sky += from(pane, point, normal, nil) }
    light.lamp = fromLamp(point, normal, nil)
    light.screen = fromScreen(point, normal)
    return light
  }

  /// The light at a point with soft shadows of all furniture: for the wall and the desk.
  func shadowed(_ point: Vector3, _ normal: Vector3) -> Illumination {
    let contact = contacts.contact(point)
    var light = Illumination(room: (0.58 + 0.22 * normal.y - 0.20 * normal.z) * contact)
    // The corner between desk and wall is a little darker.
    let corner = normal.y > 0.5 ? Room.wall - point.z : point.y - Room.desk
    light.room *= 1 - 0.32 / (1 + 14 * corner.atLeast(0))
    for (pane, casters) in zip(RoomLight.panes, paneCasters) {
      light.sky += RoomLight.from(pane, point, normal, casters)
    }
    light.sky *= 0.35 + 0.65 * contact
    light.lamp = RoomLight.fromLamp(point, normal, lampCasters)
    light.screen = RoomLight.fromScreen(point, normal) * contact
    return light
  }

  /// What a glossy surface mirrors of windows and lamp; `mirrored` is the reflected view direction.
  static func highlight(_ point: Vector3, _ mirrored: Vector3) -> Illumination {
    var light = Illumination()
    let left = panes[1]
    if mirrored.x < -0.05 {
      let way = (left.middle.x - point.x) / mirrored.x
      let across = (point.z + mirrored.z * way - left.middle.z).magnitude
      let level = (point.y + mirrored.y * way - left.middle.y).magnitude
      let soft: Float = 0.3
      light.sky = 2.2 * ((left.half.0 - across) / soft + 0.5).clamped * ((left.half.1 - level) / soft + 0.5).clamped
    }
    let toward = (Room.bulb - point).normalized.dot(mirrored)
    light.lamp = 60 * toward.smoothed(from: 0.95, to: 1.0)
    return light
  }

  private static func from(_ pane: Pane, _ point: Vector3, _ normal: Vector3, _ casters: ShadowCasters?) -> Float {
    let way = pane.middle - point
    let squared = way.dot(way)
    let distance = squared.squareRoot()
    let direction = way * (1 / distance)
    let leaving = -direction.dot(pane.normal)
    // A wide light reaches a little around the corner.
    let facing = (direction.dot(normal) + 0.22) / 1.22
    guard leaving > 0, facing > 0 else { return 0 }
    let open = casters?.openness(point, direction, distance: distance - 0.2, spread: pane.spread) ?? 1
    return pane.strength * facing * leaving / (squared + 0.35) * open
  }

  private static func fromLamp(_ point: Vector3, _ normal: Vector3, _ casters: ShadowCasters?) -> Float {
    let way = Room.bulb - point
    let squared = way.dot(way) + 0.006
    let distance = squared.squareRoot()
    let direction = way * (1 / distance)
    let facing = (direction.dot(normal) + 0.08) / 1.08
    guard facing > 0 else { return 0 }
    // Bright where the bulb is seen past the shade's rims, dim where its light comes through the fabric.
    let level = (direction.x * direction.x + direction.z * direction.z).squareRoot()
    let rise = -direction.y / level.atLeast(1e-4)
    let past = rise.smoothed(from: 0.86, to: 1.14).atLeast((-rise).smoothed(from: 0.60, to: 0.84))
    let open = casters?.openness(point, direction, distance: distance, spread: lampSpread) ?? 1
    return facing / (squared + 0.02) * (0.26 + 0.74 * past) * open
  }

  private static func fromScreen(_ point: Vector3, _ normal: Vector3) -> Float {
    let way = Room.screen - point
    let squared = way.dot(way)
    let direction = way * (1 / squared.squareRoot())
    let facing = (direction.dot(normal) + 0.15) / 1.15
    guard facing > 0, direction.z > 0 else { return 0 }
    return 0.028 * facing * direction.z / (squared + 0.03)
  }
}
