/// Everything in the demo scene that stays the same all day, computed once for a picture size.
struct Backdrop: Sendable {
  let lens: DemoLens
  let solids: [Solid]
  private(set) var texels: [Texel] = []
  private(set) var dial: [FacePixel] = []
  private(set) var display: [FacePixel] = []
  private(set) var mirrors: [MirrorPixel] = []

  private let painter: Painter
  private let wallMap: Lightmap
  private let deskMap: Lightmap
  let tiles: TileGrid
  /// For each tile, a ball around the surfaces seen in it; none where only the outdoors is seen.
  private(set) var parts: [Ball?] = []

  private static let outdoors: Int32 = -1
  private static let wall: Int32 = -2
  private static let desk: Int32 = -3

  init(width: Int, height: Int, noise: ValueNoise) {
    let lens = DemoLens(width: width, height: height)
    let solids = Room.furniture(noise: noise)
    let spacing = min(max(lens.step * 13, 0.010), 0.08)
    let lights = RoomLight(solids, edge: spacing)
    self.lens = lens
    self.solids = solids
    painter = Painter(noise: noise)
    let side = min(lens.step * Float(width) / 2 * Room.wall, 1.8)
    wallMap = Lightmap(
      lights, from: (-side, Room.desk), to: (side, 1.95), spacing: spacing, normal: Vector3(0, 0, -1),
      place: { Vector3($0, $1, Room.wall) })
    deskMap = Lightmap(
      lights, from: (-side, 1.5), to: (side, Room.wall), spacing: spacing, normal: Vector3(0, 1, 0),
      place: { Vector3($0, Room.desk, $1) })
    tiles = TileGrid(lens: lens, solids: solids)
    drawTexels()
    parts = (0..<tiles.count).map { part(of: $0) }
    collectMirrors()
  }

  /// The ball around the surfaces seen in a tile.
  private func part(of tile: Int) -> Ball? {
    let (columns, rows) = tiles.pixels(of: tile)
    var low = Vector3(.infinity)
    var high = Vector3(-.infinity)
    for y in rows {
      for x in columns {
        let depth = texels[y * lens.width + x].depth
        guard depth > 0 else { continue }
        let point = lens.direction(Float(x) + 0.5, Float(y) + 0.5) * depth
        low = Vector3(low.x.atMost(point.x), low.y.atMost(point.y), low.z.atMost(point.z))
        high = Vector3(high.x.atLeast(point.x), high.y.atLeast(point.y), high.z.atLeast(point.z))
      }
    }
    guard low.x <= high.x else { return nil }
    return Ball(DemoLens.eye + (low + high) * 0.5, ((high - low) * 0.5).length + 0.01)
  }

  /// What a ray from the camera meets first.
  private func meet(_ direction: Vector3, _ candidates: [Int32]) -> (what: Int32, depth: Float) {
    var what = Backdrop.wall
    var depth = Room.wall
    let down = direction.y < 0 ? (Room.desk - DemoLens.eye.y) / direction.y : .infinity
    if down < depth {
      (what, depth) = (Backdrop.desk, down)
    } else {
      let x = direction.x * depth - Room.window.x
      let y = direction.y * depth + DemoLens.eye.y - Room.window.y
      if x.magnitude < Room.windowHalf.0, y.magnitude < Room.windowHalf.1 {
        (what, depth) = (Backdrop.outdoors, .infinity)
      }
    }
    for number in candidates {
      let t = solids[Int(number)].hit(DemoLens.eye, direction)
      if t < depth { (what, depth) = (number, t) }
    }
    return (what, depth)
  }

  /// The texel of one ray, before averaging.
  private func texel(_ direction: Vector3, _ what: Int32, _ depth: Float) -> Texel {
    var texel = Texel()
    guard what != Backdrop.outdoors else {
      texel.outside = 1
      return texel
    }
    let point = DemoLens.eye + direction * depth
    let pixel = lens.step * depth
    texel.depth = depth
    texel.owner = what
    if what == Backdrop.wall {
      texel.albedo = painter.plaster(point.x, point.y)
      texel.normal = Vector3(0, 0, -1)
      texel.light = wallMap.light(point.x, point.y)
    } else if what == Backdrop.desk {
      texel.albedo = painter.planks(point.x, point.z, pixel: pixel)
      texel.normal = Vector3(0, 1, 0)
      texel.light = deskMap.light(point.x, point.z)
    } else {
      let solid = solids[Int(what)]
      var surface = painter.surface(
        of: solid, at: solid.toLocal(point), view: solid.turned(direction), pixel: pixel)
      if solid.isLeaf, surface.normal.dot(solid.turned(direction)) > 0 {
        surface.normal = surface.normal * -1
      }
      let normal =
        solid.right * surface.normal.x + solid.up * surface.normal.y + solid.back * surface.normal.z
      texel.albedo = surface.albedo
      texel.normal = normal
      texel.screen = surface.screen
      texel.through = surface.through
      if surface.screen < 1 {
        texel.light = RoomLight.unshaded(point, normal)
        if solid.isLeaf {
          texel.light = texel.light.mixed(with: RoomLight.unshaded(point, normal * -1), 0.35)
        }
        // Things on the desk get less light near their foot.
        let foot = 1 - 0.45 * (1 - (point.y - Room.desk) * 14).atLeast(0) * (1 - normal.y).atLeast(0)
        texel.light = Illumination(
          sky: texel.light.sky * foot, room: texel.light.room * foot, lamp: texel.light.lamp + surface.glow,
          screen: texel.light.screen)
      }
      if solid.finish.gloss > 0 {
        let view = direction.normalized
        let mirrored = view - normal * (2 * view.dot(normal))
        let highlight = RoomLight.highlight(point, mirrored)
        // Highlights have the light's colour, not the surface's; dividing by albedo is near enough for small ones.
        let gain = solid.finish.gloss * 0.08 / max(texel.albedo.luminance, 0.02)
        texel.light.sky += highlight.sky * gain
        texel.light.lamp += highlight.lamp * gain
      }
    }
    return texel
  }

  private mutating func drawTexels() {
    let (width, height) = (lens.width, lens.height)
    var texels = [Texel](repeating: Texel(), count: width * height)
    var faces = [Int32](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let direction = lens.direction(Float(x) + 0.5, Float(y) + 0.5)
        let (what, depth) = meet(direction, tiles.candidates(x, y))
        let at = y * width + x
        texels[at] = texel(direction, what, depth)
        faces[at] = what * 8
        if what >= 0 { note(at, direction, what, depth, &faces[at]) }
      }
    }
    for y in 0..<height {
      for x in 0..<width {
        let at = y * width + x
        let face = faces[at]
        if x > 0 && faces[at - 1] != face || x + 1 < width && faces[at + 1] != face
          || y > 0 && faces[at - width] != face || y + 1 < height && faces[at + width] != face
        {
          texels[at] = smoothed(x, y, middle: texels[at])
        }
      }
    }
    self.texels = texels
  }

  /// Distinguishes the sides of a box and keeps the pixels of the clocks' faces.
  private mutating func note(_ at: Int, _ direction: Vector3, _ what: Int32, _ depth: Float, _ face: inout Int32) {
    let solid = solids[Int(what)]
    switch solid.shape {
    case .box, .cone:
      let local = solid.toLocal(DemoLens.eye + direction * depth)
      let normal = solid.localNormal(at: local)
      face += normal.x > 0.9 ? 1 : (normal.y > 0.9 ? 2 : (normal.z < -0.9 ? 3 : 0))
      if case .dial = solid.finish.pattern, normal.y > 0.9 { dial.append(FacePixel(index: at, x: local.x, y: local.z)) }
      if case .display = solid.finish.pattern, normal.z < -0.9 {
        display.append(FacePixel(index: at, x: local.x, y: local.y))
      }
    case .ellipsoid, .leaf:
      break
    }
  }

  /// The mean of nine rays through a pixel on an edge; for the sun it keeps one of them.
  private func smoothed(_ x: Int, _ y: Int, middle: Texel) -> Texel {
    let candidates = tiles.candidates(x, y)
    var mean = Texel()
    mean.depth = middle.depth
    mean.normal = middle.normal
    var weight: Float = 0
    var known: (what: Int32, texel: Texel)?
    for sample in 0..<9 {
      let direction = lens.direction(
        Float(x) + (Float(sample % 3) + 0.5) / 3, Float(y) + (Float(sample / 3) + 0.5) / 3)
      let (what, depth) = meet(direction, candidates)
      let one: Texel
      if let known, known.what == what {
        one = known.texel
      } else {
        one = texel(direction, what, depth)
        // Wall, desk and leaves look the same all over a pixel; boxes have edges.
        if what < 0 || solids[Int(what)].isLeaf { known = (what, one) }
      }
      let share = one.albedo.luminance + 1e-5
      mean.outside += one.outside / 9
      guard what != Backdrop.outdoors else { continue }
      if mean.depth == 0 { (mean.depth, mean.normal, mean.owner) = (one.depth, one.normal, one.owner) }
      mean.albedo += one.albedo * (1 / 9)
      weight += share
      mean.light = mean.light.mixed(with: one.light, share / weight)
      mean.through = middle.through
      mean.owner = middle.owner
      mean.screen = mean.screen.mixed(with: one.screen, share / weight)
    }
    return mean
  }

  private mutating func collectMirrors() {
    let things = solids.filter { $0.habits.contains(.mirrored) }
    for y in 0..<lens.height {
      for x in 0..<lens.width {
        let texel = texels[y * lens.width + x]
        guard texel.normal.y == 1, texel.depth > 0 else { continue }
        let direction = lens.direction(Float(x) + 0.5, Float(y) + 0.5)
        let point = DemoLens.eye + direction * texel.depth
        guard abs(point.y - Room.desk) < 1e-3 else { continue }
        let bounced = Vector3(direction.x, -direction.y, 1)
        var way = Room.wall - point.z
        for thing in things {
          let reached = thing.hit(point, bounced)
          if reached > 0.002, reached < way { way = reached }
        }
        let place = lens.project(point + bounced * way)
        let slant = 1 + direction.y / direction.length
        let strength = 0.04 + 0.62 * slant * slant * slant * slant
        mirrors.append(
          MirrorPixel(
            index: y * lens.width + x, x: place.x, y: place.y, strength: strength,
            blur: 0.045 * way / (lens.step * (point.z + way))))
      }
    }
  }
}
