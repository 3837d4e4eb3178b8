import Glibc

/// The plants of the demo scene: one in a pot on the desk, one trailing from the shelf.
enum Plant {
  static func potted(noise: ValueNoise) -> [Solid] {
    let foot = Vector3(-0.70, Room.desk, 2.27)
    let terracotta = Vector3(0.50, 0.19, 0.09)
    let soil = Finish(.cup(filling: Vector3(0.020, 0.013, 0.009), level: 0.016, wall: 0.008), terracotta)
    var solids = [
      Solid(.cone(height: 0.125, bottom: 0.058, top: 0.082), at: foot, Finish(terracotta), [.casts, .mirrored]),
      Solid(.cone(height: 0.028, bottom: 0.088, top: 0.090), at: foot + Vector3(0, 0.10, 0), soil),
    ]
    for index in 0..<19 {
      let number = Int32(index)
      let turn = Float(index) * 2.399 + noise.lattice(number, 301)
      let inner = Float(index) / 18
      // The youngest leaves stand in the middle, the oldest hang outward.
      let rise = (1.40 - 0.85 * inner) * (0.85 + 0.25 * noise.lattice(number, 302))
      let height = 0.06 + (1 - inner) * 0.17 * (0.6 + 0.6 * noise.lattice(number, 303))
      let out = Vector3(cosf(turn), 0, sinf(turn))
      let root = foot + Vector3(0, 0.115, 0) + out * 0.02
      let knee = root + Vector3(0, height, 0) + out * (0.02 + 0.05 * inner)
      let stem = Finish(Vector3(0.16, 0.25, 0.07))
      solids.append(Room.rod(root, knee, 0.0032, stem, []))
      let ahead = out * cosf(rise) + Vector3(0, sinf(rise), 0)
      let over = Vector3(0, cosf(rise), 0) - out * sinf(rise)
      let length = 0.15 + 0.07 * noise.lattice(number, 304)
      let green = Vector3(0.070, 0.175, 0.050).mixed(with: Vector3(0.150, 0.270, 0.060), noise.lattice(number, 305))
      solids.append(
        Solid(
          .leaf(length: length, half: length * 0.25, droop: 2.2 + 2.4 * inner), at: knee, right: ahead, up: over,
          Finish(.leaf, green, gloss: 0.12)))
    }
    return solids
  }

  static func trailing(noise: ValueNoise) -> [Solid] {
    let foot = Vector3(0.555, 1.425, 2.49)
    let glazed = Vector3(0.62, 0.60, 0.56)
    var solids = [
      Solid(
        .cone(height: 0.085, bottom: 0.042, top: 0.055), at: foot,
        Finish(.cup(filling: Vector3(0.02, 0.013, 0.009), level: 0.07, wall: 0.006), glazed, gloss: 0.3))
    ]
    for vine in 0..<4 {
      let number = Int32(vine)
      let side = (Float(vine) - 1.6) * 0.042
      var place = foot + Vector3(side * 0.6, 0.085, -0.03)
      let long = 4 + Int(noise.lattice(number, 401) * 4.5)
      for joint in 0..<long {
        let index = number * 16 + Int32(joint)
        // Over the rim first, then down, swinging a little.
        let fall: Float = joint == 0 ? 0.015 : -0.045
        let reach: Float = joint < 2 ? 0.034 : 0.004
        let swing = 0.022 * (noise.lattice(index, 402) - 0.5) + (joint < 2 ? side * 0.5 : 0)
        let next = place + Vector3(swing, fall, joint < 3 ? -reach : 0.004)
        solids.append(Room.rod(place, next, 0.0022, Finish(Vector3(0.14, 0.22, 0.06)), []))
        let turn = (noise.lattice(index, 403) - 0.5) * 2.6 + (joint % 2 == 0 ? 0 : .pi)
        let ahead = Vector3(cosf(turn), -0.35, -0.25).normalized
        let green = Vector3(0.085, 0.20, 0.055).mixed(with: Vector3(0.22, 0.33, 0.09), noise.lattice(index, 404))
        let length = 0.056 + 0.022 * noise.lattice(index, 405)
        solids.append(
          Solid(
            .leaf(length: length, half: length * 0.36, droop: 5), at: next, right: ahead,
            up: Vector3(0.1, 0.75, -0.65), Finish(.leaf, green, gloss: 0.1), [.casts, .small]))
        place = next
      }
    }
    return solids
  }
}
