import Glibc

/// The light that reaches the camera at one moment, pixel by pixel: red, green and blue by turns, linear until
/// `develop` turns them into code values.
struct LightField {
  private(set) var values: [Float]
  /// Light that the lens scatters around bright places.
  private let bloom: CoarseField
  private let backdrop: Backdrop
  private let light: Daylight
  private let noise: ValueNoise

  /// Lights the backdrop: room lights, sunbeam, screen and the view out of the window.
  init(backdrop: Backdrop, light: Daylight, noise: ValueNoise) {
    self.backdrop = backdrop
    self.light = light
    self.noise = noise
    let lens = backdrop.lens
    let (width, height) = (lens.width, lens.height)
    let outdoors = Outdoors(light: light, noise: noise)
    let sunny = light.elevation > -0.5
    let beam = light.beam.direction
    let casters = ShadowCasters(backdrop.solids, edge: 0.002) { $0.contains(.casts) }
    values = [Float](unsafeUninitializedCapacity: width * height * 3) { buffer, count in
      backdrop.texels.withUnsafeBufferPointer { texels in
        for tile in 0..<backdrop.tiles.count {
          let (columns, rows) = backdrop.tiles.pixels(of: tile)
          var some = ShadowCasters.none
          if sunny, let part = backdrop.parts[tile] {
            some = casters.toward(beam, distance: 4, spread: Sunbeam.spread, from: part)
          }
          var y = rows.lowerBound
          while y < rows.upperBound {
            var x = columns.lowerBound
            while x < columns.upperBound {
              let at = y * width + x
              let texel = texels[at]
              let direction = lens.direction(Float(x) + 0.5, Float(y) + 0.5)
              var colour = texel.radiance(light)
              if sunny, texel.depth > 0 {
                let share = LightField.sunlight(on: texel, at: DemoLens.eye + direction * texel.depth, light.beam, some)
                if share > 0 { colour += texel.albedo * light.sun * share }
              }
              if texel.outside > 0 {
                colour += outdoors.colour(direction.x, direction.y) * (texel.outside * 0.8)
              }
              buffer[at * 3] = colour.x
              buffer[at * 3 + 1] = colour.y
              buffer[at * 3 + 2] = colour.z
              x += 1
            }
            y += 1
          }
        }
      }
      count = width * height * 3
    }
    bloom = CoarseField(values, width: width, height: height).blurred()
  }

  /// The share of the sunlight that a texel reflects, after window and furniture, for the angle at which it arrives.
  private static func sunlight(
    on texel: Texel, at point: Vector3, _ beam: Sunbeam, _ casters: ShadowCasters
  ) -> Float {
    var facing = texel.normal.dot(beam.direction)
    // Slightly off the surface, so that it does not shade itself.
    let off: Float = facing > 0 ? 0.006 : -0.006
    if facing < 0 { facing *= -texel.through }
    // A screen absorbs light.
    facing *= 1 - 0.97 * texel.screen
    guard facing > 0 else { return 0 }
    let open = beam.openness(at: point)
    guard open > 0 else { return 0 }
    return facing * open
      * casters.openness(
        point + texel.normal * off, beam.direction, distance: 4, spread: Sunbeam.spread, owner: texel.owner)
  }

  private func colour(_ at: Int) -> Vector3 { Vector3(values[at * 3], values[at * 3 + 1], values[at * 3 + 2]) }

  private mutating func put(_ colour: Vector3, _ at: Int) {
    values[at * 3] = colour.x
    values[at * 3 + 1] = colour.y
    values[at * 3 + 2] = colour.z
  }

  /// Draws the hands of the wall clock and the digits of the other.
  mutating func drawClocks(millisecondsOfDay: Int64) {
    let step = backdrop.lens.step
    let clock = WallClock(millisecondsOfDay: millisecondsOfDay)
    for place in backdrop.dial {
      let texel = backdrop.texels[place.index]
      let paper = texel.albedo
      put(
        clock.overlaid(colour(place.index), place.x, place.y, paper: paper, pixel: step * texel.depth), place.index)
    }
    let display = SegmentDisplay(millisecondsOfDay: millisecondsOfDay)
    let lit = Vector3(1.0, 0.50, 0.14) * light.digits
    for place in backdrop.display {
      let bright = display.brightness(place.x, place.y, pixel: step * backdrop.texels[place.index].depth)
      if bright > 0 { put(colour(place.index) + lit * bright, place.index) }
    }
  }

  /// Draws the cat's tail over the sill.
  mutating func drawTail(millisecondsOfDay: Int64) {
    let lens = backdrop.lens
    let joints = Cat.tail(milliseconds: millisecondsOfDay).map { joint in
      let place = lens.project(joint.place)
      return (x: place.x, y: place.y, radius: joint.radius / (lens.step * joint.place.z))
    }
    let reach = (joints.map(\.radius).max() ?? 0) + 2
    let left = Int(max(0, (joints.map(\.x).min() ?? 0) - reach))
    let right = Int(min(Float(lens.width - 1), (joints.map(\.x).max() ?? 0) + reach))
    let top = Int(max(0, (joints.map(\.y).min() ?? 0) - reach))
    let bottom = Int(min(Float(lens.height - 1), (joints.map(\.y).max() ?? 0) + reach))
    guard left <= right, top <= bottom else { return }
    for y in top...bottom {
      for x in left...right {
        var best = (depth: -Float.infinity, side: Float(0), way: Float(0), radius: Float(1))
        for index in 1..<joints.count {
          let (from, to) = (joints[index - 1], joints[index])
          let (dx, dy) = (to.x - from.x, to.y - from.y)
          let (px, py) = (Float(x) + 0.5 - from.x, Float(y) + 0.5 - from.y)
          let t = ((px * dx + py * dy) / max(dx * dx + dy * dy, 1e-6)).clamped
          let (ox, oy) = (px - t * dx, py - t * dy)
          let away = (ox * ox + oy * oy).squareRoot()
          let radius = from.radius.mixed(with: to.radius, t)
          if radius - away > best.depth { best = (radius - away, ox / radius, Float(index) + t, radius) }
        }
        let share = (best.depth + 0.5).clamped
        guard share > 0 else { continue }
        let round = (1 - min(best.side * best.side, 1)).squareRoot()
        let normal = Vector3(best.side, 0.15, -round)
        let lens = backdrop.lens
        let point = DemoLens.eye + lens.direction(Float(x) + 0.5, Float(y) + 0.5) * 2.44
        var texel = Texel()
        texel.light = RoomLight.unshaded(point, normal.normalized)
        let ring = 0.72 + 0.28 * cosf(best.way * 2.1)
        texel.albedo = Cat.fur * (best.way > 12.5 ? 0.55 : ring)
        var fur = texel.radiance(light)
        let facing = normal.dot(light.beam.direction)
        if facing > 0, light.elevation > 0 {
          fur += texel.albedo * light.sun * (facing * light.beam.openness(at: point))
        }
        let at = y * lens.width + x
        put(colour(at).mixed(with: fur, share), at)
      }
    }
  }

  /// Adds what the satin surface of the desk reflects: window, lamp, digits.
  mutating func mirrorInDesk() {
    let (width, height) = (backdrop.lens.width, backdrop.lens.height)
    let source = CoarseField(values, width: width, height: height)
    // Satin blurs what it reflects: the reflected light is collected in coarse cells and interpolated between them.
    var gathered = CoarseField(like: source)
    for mirror in backdrop.mirrors {
      let blur = mirror.blur
      var seen = source.light(mirror.x - blur, mirror.y)
      seen += source.light(mirror.x + blur, mirror.y)
      seen += source.light(mirror.x, mirror.y - 1.5 * blur)
      seen += source.light(mirror.x, mirror.y + 1.5 * blur)
      gathered.add(seen * 0.25, mirror.index % width, mirror.index / width)
    }
    for mirror in backdrop.mirrors {
      let seen = gathered.mean(Float(mirror.index % width) + 0.5, Float(mirror.index / width) + 0.5)
      put(colour(mirror.index) + seen * mirror.strength, mirror.index)
    }
  }

  /// Draws the steam of the mug.
  mutating func drawSteam(millisecondsOfDay: Int64) {
    let lens = backdrop.lens
    let steam = Steam(millisecondsOfDay: millisecondsOfDay, noise: noise)
    let foot = Room.mug + Vector3(0, Room.mugHeight, 0)
    let place = lens.project(foot)
    let scale = lens.step * foot.z
    let left = Int(max(0, place.x - Steam.reach / scale))
    let right = Int(min(Float(lens.width - 1), place.x + Steam.reach / scale))
    let top = Int(max(0, place.y - Steam.height / scale))
    let bottom = Int(min(Float(lens.height - 1), place.y))
    guard left <= right, top <= bottom else { return }
    let bright = light.sky * 0.42 + light.lamp * 1.2 + light.sun * 0.03 + light.screen * 0.12
    for y in top...bottom {
      for x in left...right {
        let veil = steam.veil((Float(x) + 0.5 - place.x) * scale, (place.y - Float(y) - 0.5) * scale)
        if veil > 0 { put(colour(y * lens.width + x).mixed(with: bright, veil), y * lens.width + x) }
      }
    }
  }

  /// Exposes the light: vignette, tone curve, code values from 0 to 255, not rounded.
  mutating func develop(_ curve: ToneCurve) {
    let (width, height) = (backdrop.lens.width, backdrop.lens.height)
    let exposure = light.exposure
    let half = (Float(width) / 2, Float(height) / 2)
    let corner = 1 / (half.0 * half.0 + half.1 * half.1)
    curve.withTable { table in
      values.withUnsafeMutableBufferPointer { values in
        for y in 0..<height {
          let dy = Float(y) + 0.5 - half.1
          for x in 0..<width {
            let dx = Float(x) + 0.5 - half.0
            let fall = 1 - 0.30 * (dx * dx + dy * dy) * corner
            let gain = exposure * fall * fall
            let at = (y * width + x) * 3
            let haze = bloom.light(Float(x) + 0.5, Float(y) + 0.5)
            values[at] = ToneCurve.code((values[at] * 0.96 + haze.x * 0.045) * gain, table)
            values[at + 1] = ToneCurve.code((values[at + 1] * 0.96 + haze.y * 0.045) * gain, table)
            values[at + 2] = ToneCurve.code((values[at + 2] * 0.96 + haze.z * 0.045) * gain, table)
          }
        }
      }
    }
  }
}
