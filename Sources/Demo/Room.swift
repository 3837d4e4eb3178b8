import Glibc

/// The demo scene's room: its walls and lights, and every piece of furniture in it.
///
/// A desk is under a window in the back wall. What is not in the picture (the walls at the sides, a second window at
/// the right) is there for the light only.
enum Room {
  /// Depth of the back wall's face, and how thick the wall is at the window.
  static let wall: Float = 2.6
  static let thickness: Float = 0.14
  /// Middle of the window, half its size, and the height of the bar across it.
  static let window = Vector3(-0.39, 1.37, 2.6)
  static let windowHalf: (Float, Float) = (0.33, 0.40)
  static let transom: Float = 1.50
  /// The window behind the camera at the right, by which the afternoon sun comes in; its halves lie along z and y.
  static let sideWindow = Vector3(1.9, 1.50, 1.62)
  static let sideWindowHalf: (Float, Float) = (0.42, 0.46)
  static let desk: Float = 0.74
  static let sill: Float = 0.97
  static let bulb = Vector3(0.74, 1.16, 2.36)
  static let screen = Vector3(0.30, 1.03, 2.30)
  static let dial = Vector3(0.185, 1.575, 2.575)
  static let dialRadius: Float = 0.155
  static let mug = Vector3(-0.065, 0.74, 1.98)
  static let mugHeight: Float = 0.098

  static func furniture(noise: ValueNoise) -> [Solid] {
    windowFrame + [curtain(left: -1.36, right: -0.69), rail] + wallClock + monitor + lamp + mugAndBooks
      + shelf(noise: noise) + smallThings + Plant.potted(noise: noise) + Plant.trailing(noise: noise) + Cat.sitting
  }

  static func box(
    _ middle: Vector3, _ half: Vector3, _ finish: Finish, turn: Float = 0, _ habits: Solid.Habits = .casts
  ) -> Solid {
    Solid(.box(half: half), at: middle, right: Vector3(cosf(turn), 0, -sinf(turn)), finish, habits)
  }

  static func rod(_ from: Vector3, _ to: Vector3, _ radius: Float, _ finish: Finish, _ habits: Solid.Habits = .casts)
    -> Solid
  {
    let way = to - from
    let side = abs(way.y) > abs(way.x) ? Vector3(1, 0, 0) : Vector3(0, 0, 1)
    return Solid(.cone(height: way.length, bottom: radius, top: radius), at: from, right: side, up: way, finish, habits)
  }

  private static var windowFrame: [Solid] {
    let paint = Finish(Vector3(0.74, 0.72, 0.68))
    let (w, h) = windowHalf
    let middle = wall + thickness / 2
    let half = thickness / 2
    let deep = wall + thickness * 0.68
    let none: Solid.Habits = []
    return [
      box(Vector3(window.x - w - 0.02, window.y, middle), Vector3(0.02, h, half), paint, none),
      box(Vector3(window.x + w + 0.02, window.y, middle), Vector3(0.02, h, half), paint, none),
      box(Vector3(window.x, window.y + h + 0.02, middle), Vector3(w, 0.02, half), paint, none),
      box(Vector3(window.x, window.y - h + 0.012, deep), Vector3(w, 0.022, 0.022), paint, none),
      box(Vector3(window.x, window.y + h - 0.012, deep), Vector3(w, 0.022, 0.022), paint, none),
      box(Vector3(window.x - w + 0.010, window.y, deep), Vector3(0.022, h, 0.022), paint, none),
      box(Vector3(window.x + w - 0.010, window.y, deep), Vector3(0.022, h, 0.022), paint, none),
      box(Vector3(window.x, window.y, deep), Vector3(0.017, h, 0.018), paint, none),
      box(Vector3(window.x, transom, deep), Vector3(w, 0.015, 0.016), paint, none),
      box(Vector3(window.x, sill - 0.014, wall), Vector3(w + 0.05, 0.014, 0.13), paint),
    ]
  }

  private static func curtain(left: Float, right: Float) -> Solid {
    let linen = Finish(.folds, Vector3(0.66, 0.60, 0.50))
    return box(Vector3((left + right) / 2, 1.32, 2.51), Vector3((right - left) / 2, 0.49, 0.012), linen)
  }

  private static var rail: Solid {
    rod(Vector3(-1.5, 1.80, 2.50), Vector3(-0.02, 1.80, 2.50), 0.008, Finish(Vector3(0.06, 0.05, 0.045), gloss: 0.3))
  }

  private static var wallClock: [Solid] {
    let toward = Vector3(0, 0, -1)
    let metal = Finish(Vector3(0.05, 0.048, 0.046), gloss: 0.5)
    let base = Vector3(dial.x, dial.y, wall)
    return [
      Solid(
        .cone(height: 0.035, bottom: dialRadius, top: dialRadius - 0.004), at: base, up: toward, metal),
      Solid(
        .cone(height: 0.0352, bottom: 0.1, top: dialRadius - 0.015), at: base, up: toward,
        Finish(.dial, Vector3(0.80, 0.78, 0.72)), []),
    ]
  }

  private static var monitor: [Solid] {
    let dark = Finish(Vector3(0.022, 0.023, 0.025), gloss: 0.2)
    return [
      box(
        screen + Vector3(0, 0, 0.02), Vector3(0.255, 0.152, 0.012), Finish(.screen, dark.colour), [.casts, .mirrored]),
      box(Vector3(screen.x, 0.85, screen.z + 0.05), Vector3(0.030, 0.11, 0.012), dark),
      box(Vector3(screen.x, 0.746, screen.z), Vector3(0.11, 0.006, 0.075), dark, [.casts, .mirrored]),
    ]
  }

  private static var lamp: [Solid] {
    let brass = Finish(Vector3(0.34, 0.22, 0.09), gloss: 0.6)
    let own: Solid.Habits = [.casts, .lamp]
    let foot = Vector3(bulb.x, desk, bulb.z)
    return [
      Solid(.cone(height: 0.016, bottom: 0.075, top: 0.068), at: foot, brass, [.casts, .lamp, .mirrored]),
      rod(foot, Vector3(bulb.x, bulb.y - 0.02, bulb.z), 0.008, brass, own),
      Solid(
        .cone(height: 0.18, bottom: 0.125, top: 0.085), at: bulb - Vector3(0, 0.09, 0),
        Finish(.fabric, Vector3(0.72, 0.66, 0.55)), [.casts, .lamp, .mirrored]),
    ]
  }

  private static var mugAndBooks: [Solid] {
    let glaze = Finish(
      .cup(filling: Vector3(0.030, 0.014, 0.007), level: mugHeight - 0.016, wall: 0.005), Vector3(0.075, 0.235, 0.270),
      gloss: 0.5)
    let plain = Finish(Vector3(0.075, 0.235, 0.270), gloss: 0.5)
    var solids = [
      Solid(.cone(height: mugHeight, bottom: 0.038, top: 0.043), at: mug, glaze, [.casts, .mirrored])
    ]
    let middle = mug + Vector3(0.040, 0.050, -0.004)
    let bend = (0...8).map { step -> Vector3 in
      let angle = (Float(step) / 8 - 0.5) * 1.15 * Float.pi
      return middle + Vector3(0.027 * cosf(angle), 0.031 * sinf(angle), -0.3 * 0.027 * cosf(angle))
    }
    for (from, to) in zip(bend, bend.dropFirst()) {
      solids.append(rod(from, to, 0.0058, plain, []))
      solids.append(Solid(.ellipsoid(radii: Vector3(0.0060)), at: to, plain, []))
    }
    let covers = [Vector3(0.055, 0.085, 0.135), Vector3(0.42, 0.30, 0.13), Vector3(0.20, 0.045, 0.040)]
    let turns: [Float] = [0.10, -0.16, 0.22]
    var level = desk
    for (index, cover) in covers.enumerated() {
      let half = Vector3(0.125 - 0.011 * Float(index), 0.017 - 0.003 * Float(index), 0.088 - 0.008 * Float(index))
      let middle = Vector3(0.585, level + half.y, 2.10)
      solids.append(box(middle, half, Finish(.spine, cover), turn: turns[index], [.casts, .mirrored]))
      level += 2 * half.y
    }
    return solids
  }

  private static func shelf(noise: ValueNoise) -> [Solid] {
    let top: Float = 1.425
    let wood = Finish(Vector3(0.26, 0.135, 0.065))
    var solids = [box(Vector3(0.93, top - 0.011, 2.5), Vector3(0.47, 0.011, 0.10), wood)]
    let covers = [
      Vector3(0.10, 0.17, 0.20), Vector3(0.46, 0.36, 0.22), Vector3(0.30, 0.07, 0.05), Vector3(0.55, 0.50, 0.42),
      Vector3(0.06, 0.10, 0.08), Vector3(0.42, 0.22, 0.08), Vector3(0.13, 0.12, 0.18), Vector3(0.36, 0.40, 0.38),
    ]
    var left: Float = 0.655
    for index in 0..<13 {
      let number = Int32(index)
      let half = Vector3(
        0.011 + 0.011 * noise.lattice(number, 201), 0.085 + 0.034 * noise.lattice(number, 202),
        0.065 + 0.015 * noise.lattice(number, 203))
      let cover = covers[Int(noise.lattice(number, 204) * 7.99)]
      let middle = Vector3(left + half.x, top + half.y, 2.58 - half.z)
      solids.append(box(middle, half, Finish(.spine, cover), turn: 0))
      left += 2 * half.x + 0.0015
      if index == 7 { left += 0.16 }
    }
    let clay = Finish(Vector3(0.50, 0.46, 0.40), gloss: 0.25)
    solids.append(Solid(.ellipsoid(radii: Vector3(0.048, 0.055, 0.048)), at: Vector3(1.01, top + 0.05, 2.49), clay))
    solids.append(Solid(.cone(height: 0.06, bottom: 0.02, top: 0.024), at: Vector3(1.01, top + 0.085, 2.49), clay))
    return solids
  }

  private static var smallThings: [Solid] {
    let grey = Finish(.keys, Vector3(0.20, 0.195, 0.19))
    let oak = Finish(.display, Vector3(0.30, 0.18, 0.09))
    let tilt: Float = 0.14
    let picture = Finish(.print, Vector3(0.06, 0.045, 0.035))
    return [
      Solid(
        .box(half: Vector3(0.125, 0.165, 0.009)), at: Vector3(1.13, desk + 0.165, 2.55), up: Vector3(0, 1, 0.14),
        picture, [.casts, .mirrored]),
      box(Vector3(0.265, 0.750, 1.90), Vector3(0.185, 0.007, 0.058), grey, turn: -0.05, [.casts, .mirrored]),
      Solid(
        .ellipsoid(radii: Vector3(0.030, 0.018, 0.048)), at: Vector3(0.525, 0.75, 1.86),
        Finish(Vector3(0.30, 0.29, 0.28), gloss: 0.3)),
      Solid(
        .box(half: SegmentDisplay.half), at: Vector3(-0.375, 0.74 + SegmentDisplay.half.y, 2.02),
        right: Vector3(1, 0, 0.10), up: Vector3(0, 1, tilt), oak, [.casts, .mirrored]),
    ]
  }
}
