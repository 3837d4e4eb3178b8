/// The material of a surface in the demo scene: its colour from place to place.
struct Finish: Sendable {
  enum Pattern: Sendable {
    case plain
    case spine
    case print
    case screen
    case keys
    case leaf
    case fur
    case folds
    case dial
    case display
    case fabric
    case cup(filling: Vector3, level: Float, wall: Float)
  }

  let pattern: Pattern
  /// Share of light sent back, linear.
  let colour: Vector3
  /// Strength of mirror-like highlights.
  let gloss: Float

  init(_ colour: Vector3, gloss: Float = 0) { self.init(.plain, colour, gloss: gloss) }

  init(_ pattern: Pattern, _ colour: Vector3, gloss: Float = 0) {
    self.pattern = pattern
    self.colour = colour
    self.gloss = gloss
  }
}

/// One point of a surface, ready to be lit.
struct Surface {
  /// Share of light sent back, linear.
  var albedo: Vector3
  /// Outward, length 1; in the solid's frame while its pattern is worked out, in the room's after that.
  var normal: Vector3
  /// Light of the monitor's picture, by albedo.
  var screen: Float = 0
  /// Share of light from behind that comes through.
  var through: Float = 0
  /// Light of the lamp that comes through the fabric.
  var glow: Float = 0
}

/// Computes patterns from noise.
struct Painter: Sendable {
  let noise: ValueNoise

  /// The wall at a place.
  func plaster(_ x: Float, _ y: Float) -> Vector3 {
    let cloudy = noise.layered(x * 3.1, y * 3.1, octaves: 2) - 0.5
    return Vector3(0.400, 0.452, 0.432) * (1 + 0.05 * cloudy)
  }

  /// The wood of the desk; `pixel` is the side of a pixel there in metres, so that the grain can fade before it
  /// becomes too fine to draw.
  func planks(_ x: Float, _ z: Float, pixel: Float) -> Vector3 {
    let board = (z / 0.235).rounded(.down)
    let number = noise.lattice(Int32(board), 77)
    let along = x + number * 31
    let across = z + 0.02 * (noise.value(along * 2.3, board * 7.7) - 0.5)
    let rings = noise.layered(along * 1.5, across * 34, octaves: 2)
    let fine = noise.value(along * 7, across * 150) * (1.6 - 320 * pixel).clamped
    let dark = Vector3(0.205, 0.098, 0.043)
    let light = Vector3(0.400, 0.225, 0.110)
    let tone = 0.18 + 0.62 * rings + 0.16 * fine + 0.14 * (number - 0.5)
    let seam = abs(z / 0.235 - board - 0.5)
    let gap = 1 - 0.55 * (seam * 0.235).smoothed(from: 0.1175 - 0.0016 - 1.5 * pixel, to: 0.1175)
    return dark.mixed(with: light, tone) * gap
  }

  /// A surface point of a solid, `p` in the solid's frame; `view` points along the ray in the same frame.
  func surface(of solid: Solid, at p: Vector3, view: Vector3, pixel: Float) -> Surface {
    let normal = solid.localNormal(at: p)
    var surface = Surface(albedo: solid.finish.colour, normal: normal)
    switch solid.finish.pattern {
    case .plain:
      break
    case .dial:
      surface.albedo = WallClock.face(p.x, p.z, paper: surface.albedo, pixel: pixel)
    case .spine:
      guard case .box(let half) = solid.shape, normal.z < 0 else { break }
      // Long books lie on their side; measure along the back.
      let (long, wide) = half.x > half.y ? (p.x / half.x, half.x) : (p.y / half.y, half.y)
      let mark = noise.lattice(Int32(half.x * 9_000), Int32(half.y * 9_000))
      let bands = (abs(long) - 0.72).covered(half: 0.025, blur: pixel / wide)
      let label = (long - 0.2 * mark).covered(half: 0.22 + 0.16 * mark, blur: pixel / wide)
      let across = half.x > half.y ? p.y / half.y : p.x / half.x
      let title = label * across.covered(half: 0.28, blur: pixel / min(half.x, half.y))
      surface.albedo = surface.albedo.mixed(with: Vector3(0.72, 0.62, 0.40), max(0.7 * bands, 0.55 * title))
      // The back of a book is round.
      surface.normal = Vector3(half.x > half.y ? 0 : 0.5 * across, half.x > half.y ? 0.5 * across : 0, -1).normalized
    case .print:
      surface.albedo = Prints.landscape(p, solid.shape, noise, pixel, frame: surface.albedo, normal)
    case .screen:
      guard case .box(let half) = solid.shape, normal.z < 0 else { break }
      let lit = min(half.x - abs(p.x), half.y - abs(p.y)) - 0.008
      guard lit > 0 else { break }
      surface.albedo = Prints.editor(p.x / half.x, p.y / half.y, noise, pixel / half.y)
      surface.screen = (lit / pixel).clamped
    case .keys:
      guard case .box(let half) = solid.shape, normal.y > 0 else { break }
      surface.albedo = Prints.keys(p.x / half.x, p.z / half.z, base: surface.albedo, pixel / half.z)
    case .leaf:
      guard case .leaf(let length, let half, _) = solid.shape else { break }
      let rib = p.z.covered(half: 0.0012, blur: max(pixel, 0.001))
      let veins = 0.5 + 0.5 * (abs(p.z) / half - p.x / length).covered(half: 0.04, blur: 0.2)
      surface.albedo = surface.albedo * (0.85 + 0.25 * veins)
      surface.albedo = surface.albedo.mixed(with: Vector3(0.30, 0.42, 0.14), 0.6 * rib)
      surface.through = 0.6
    case .fur:
      let stripes = noise.value(p.y * 60 + 2 * noise.value(p.x * 30, p.z * 30), 3.3).smoothed(from: 0.45, to: 0.75)
      surface.albedo = surface.albedo * (1 - 0.45 * stripes) * (0.9 + 0.2 * noise.value(p.x * 160, p.y * 160))
    case .folds:
      let wave = noise.value(p.x * 34, p.y * 0.7 + 9) * 2 - 1
      let slope = noise.value(p.x * 34 + 0.35, p.y * 0.7 + 9) - noise.value(p.x * 34 - 0.35, p.y * 0.7 + 9)
      surface.normal = Vector3(1.5 * slope, 0, -1).normalized
      surface.albedo = surface.albedo * (0.88 + 0.12 * wave)
      surface.through = 0.35
    case .display:
      surface.albedo = normal.z < 0 ? Vector3(0.012) : surface.albedo
    case .fabric:
      guard case .cone(let height, _, _) = solid.shape else { break }
      let level = p.y / height
      let weave = 0.94 + 0.06 * noise.value(p.y * 260, p.x * 20)
      let facing = max(0.0, -normal.dot(view.normalized))
      let trim = max((level - 0.02).covered(half: 0.025, blur: 0.02), (level - 0.98).covered(half: 0.025, blur: 0.02))
      let hot = (level - 0.48) * 2.1
      surface.through = 0.25
      surface.glow = (5.0 + 15 / (1 + 2.5 * hot * hot)) * (0.35 + 0.65 * facing) * weave * (1 - 0.6 * trim)
    case .cup(let filling, let level, let wall):
      guard case .cone(let height, _, let top) = solid.shape, normal.y > 0.99 else { break }
      let radius = (p.x * p.x + p.z * p.z).squareRoot()
      guard radius < top - wall else { break }
      // Look past the rim down to the filling, or to the inside of the wall.
      let way = (height - level) / max(-view.y, 1e-3)
      let (x, z) = (p.x + view.x * way, p.z + view.z * way)
      let inner = top - wall
      let edge = inner - (x * x + z * z).squareRoot()
      let shade = 0.55 + 0.35 * (radius / inner)
      surface.albedo = (surface.albedo * (0.8 * shade)).mixed(with: filling, (edge / pixel + 0.5).clamped)
    }
    return surface
  }
}
