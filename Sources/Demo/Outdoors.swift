import Glibc

/// What is seen through the window: sky, drifting clouds, hills and a few houses; stars, moon and lit windows at night.
///
/// Directions are slopes of the view: metres right and up per metre of depth.
struct Outdoors {
  private let light: Daylight
  private let noise: ValueNoise
  private let drift: Float
  private let ground: Vector3
  private let haze: Vector3
  private let cloud: Vector3
  private let moon: (x: Float, y: Float)

  init(light: Daylight, noise: ValueNoise) {
    self.light = light
    self.noise = noise
    drift = light.hours * 2.6
    ground = light.sky * 0.62 + light.sun * (0.055 + 0.10 * light.elevation.smoothed(from: 0, to: 40))
    haze = light.horizon * 0.62
    cloud = light.horizon.mixed(with: light.sky, 0.6) * 0.72 + light.sun * 0.055
    let after = light.hours < 12 ? light.hours : light.hours - 24
    moon = (-0.185 + 0.042 * (after + 1), 0.150 - 0.006 * after * after)
  }

  func colour(_ x: Float, _ y: Float) -> Vector3 {
    let far = 0.034 + 0.030 * noise.value(x * 9 + 3, 1.5) + 0.008 * noise.value(x * 47, 2.5)
    if y > far + 0.002 { return sky(x, y) }
    let middle = 0.004 + 0.030 * noise.value(x * 13 + 8, 4.5) + 0.009 * noise.layered(x * 120, 5.5, octaves: 2)
    let near = -0.078 + 0.020 * noise.value(x * 16 + 1, 7.5) + 0.018 * noise.layered(x * 95, y * 60, octaves: 3)
    let edge: Float = 0.0018
    var colour = lit(Vector3(0.10, 0.14, 0.13), haze: 0.62)
    if y < middle + edge {
      let trees = 0.6 + 0.8 * noise.layered(x * 150, y * 190, octaves: 2)
      let wood = lit(Vector3(0.052, 0.085, 0.040) * trees, haze: 0.26)
      colour = colour.mixed(with: wood, ((middle - y) / edge + 0.5).clamped)
    }
    for house in 0..<5 { colour = dwelling(Int32(house), x, y, over: colour) }
    if y < near + edge {
      let leaves = 0.2 + 1.6 * noise.layered(x * 110, y * 130, octaves: 3)
      let bush = lit(Vector3(0.040, 0.075, 0.024) * leaves, haze: 0.05)
      colour = colour.mixed(with: bush, ((near - y) / edge + 0.5).clamped)
    }
    return y > far - 0.002 ? colour.mixed(with: sky(x, y), ((y - far) / 0.004 + 0.5).clamped) : colour
  }

  private func lit(_ albedo: Vector3, haze share: Float) -> Vector3 {
    (albedo * ground).mixed(with: haze, share)
  }

  private func sky(_ x: Float, _ y: Float) -> Vector3 {
    var colour = light.horizon.mixed(with: light.zenith, (y * 3.4 + 0.06).clamped.squareRoot() * 0.8)
    if light.night > 0 {
      let (cx, cy) = ((x * 70).rounded(.down), (y * 70).rounded(.down))
      let chance = noise.lattice(Int32(cx), Int32(cy) &+ 900)
      if chance > 0.84 {
        let ox = x * 70 - cx - 0.2 - 0.6 * noise.lattice(Int32(cx), Int32(cy) &+ 1900)
        let oy = y * 70 - cy - 0.2 - 0.6 * noise.lattice(Int32(cx), Int32(cy) &+ 2900)
        let bright = (chance - 0.84) * 1.5
        colour += Vector3(0.9, 0.95, 1.1) * (light.night * bright * expf(-(ox * ox + oy * oy) * 300))
      }
      let (mx, my) = (x - moon.x, y - moon.y)
      let away = (mx * mx + my * my).squareRoot()
      let bite = ((mx + 0.006) * (mx + 0.006) + (my - 0.003) * (my - 0.003)).squareRoot()
      let disc = ((0.0115 - away) / 0.0012 + 0.5).clamped * ((bite - 0.0098) / 0.0020 + 0.5).clamped
      colour += Vector3(0.95, 0.92, 0.80) * (light.night * (0.9 * disc + 0.05 * expf(-away * 55)))
    }
    let veil = noise.layered(x * 8 + drift, y * 17 + drift * 0.15, octaves: 4)
    let cover = veil.smoothed(from: 0.49, to: 0.74)
    let body = 1.08 - 0.55 * (veil - 0.5) + 0.9 * y
    return colour.mixed(with: cloud * body, 0.85 * cover)
  }

  private func dwelling(_ number: Int32, _ x: Float, _ y: Float, over colour: Vector3) -> Vector3 {
    let middle = -0.27 + 0.062 * Float(number) + 0.02 * noise.lattice(number, 501)
    let base = -0.068 + 0.012 * noise.lattice(number, 502)
    let half = 0.014 + 0.007 * noise.lattice(number, 503)
    let eaves = base + 0.024 + 0.007 * noise.lattice(number, 504)
    let (dx, edge) = (x - middle, Float(0.0014))
    let wall = min(half - abs(dx), min(eaves - y, y - base)) / edge + 0.5
    let roof = min(y - eaves, (half * 1.18 - abs(dx)) * 0.72 - (y - eaves)) / edge + 0.5
    guard wall > 0 || roof > 0 else { return colour }
    let plaster = Vector3(0.46, 0.41, 0.34) * (0.8 + 0.4 * noise.lattice(number, 505))
    var house = colour.mixed(with: lit(plaster, haze: 0.12), wall.clamped)
    house = house.mixed(with: lit(Vector3(0.20, 0.085, 0.055), haze: 0.12), roof.clamped)
    for pane in 0..<2 {
      let px = abs(dx - half * (Float(pane) - 0.5)) - half * 0.2
      let py = abs(y - (base + eaves) / 2 - 0.002) - 0.0042
      let share = (-max(px, py) / edge + 0.5).clamped
      // Some go to bed early.
      let wake = 20.5 + 3.4 * noise.lattice(number * 2 + Int32(pane), 506)
      let clock = light.hours < 12 ? light.hours + 24 : light.hours
      let on = light.night * (clock < wake ? 1 : 0)
      house = house.mixed(with: lit(Vector3(0.05), haze: 0.1) + Vector3(0.55, 0.30, 0.10) * on, share)
    }
    return house
  }
}
