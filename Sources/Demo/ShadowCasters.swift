/// A ball in the room: around a solid, or around the points that are lit together.
struct Ball: Sendable {
  let middle: Vector3
  let radius: Float

  init(_ middle: Vector3, _ radius: Float) {
    self.middle = middle
    self.radius = radius
  }
}

/// The solids that can block a light for some part of the room.
///
/// Most solids block almost nothing of any one light, so the list is reduced for each small part of the room first.
struct ShadowCasters: Sendable {
  private var solids: [Solid] = []
  private var balls: [Ball] = []
  /// The solids' numbers in the furniture.
  private var numbers: [Int32] = []

  var isEmpty: Bool { solids.isEmpty }

  /// Half the width of the penumbra of something that touches the lit surface, metres.
  private let edge: Float

  private init(edge: Float) { self.edge = edge }

  /// Those pieces of the furniture that `casts` picks.
  init(_ furniture: [Solid], edge: Float, where casts: (Solid.Habits) -> Bool) {
    self.edge = edge
    for (number, solid) in furniture.enumerated() where casts(solid.habits) {
      append(solid, Ball(solid.middle, solid.reach), Int32(number))
    }
  }

  static let none = ShadowCasters(edge: 0)

  private mutating func append(_ solid: Solid, _ ball: Ball, _ number: Int32) {
    solids.append(solid)
    balls.append(ball)
    numbers.append(number)
  }

  /// Those that can be between any point of a ball and a light in this direction (length 1) at this distance; penumbras
  /// widen by `spread` per metre.
  func toward(_ direction: Vector3, distance: Float, spread: Float, from part: Ball) -> ShadowCasters {
    var some = ShadowCasters(edge: edge)
    var index = 0
    while index < balls.count {
      let ball = balls[index]
      let toward = ball.middle - part.middle
      let along = toward.dot(direction)
      let wide = ball.radius + part.radius * 1.5 + blur(spread, along + part.radius)
      if along > -ball.radius - part.radius, along - ball.radius - part.radius < distance,
        toward.dot(toward) - along * along < wide * wide
      {
        some.append(solids[index], ball, numbers[index])
      }
      index += 1
    }
    return some
  }

  /// Those within `reach` of a ball.
  func near(_ part: Ball, reach: Float) -> ShadowCasters {
    var some = ShadowCasters(edge: edge)
    for (index, ball) in balls.enumerated()
    where (ball.middle - part.middle).length < ball.radius + part.radius + reach {
      some.append(solids[index], ball, numbers[index])
    }
    return some
  }

  /// The share of a light that reaches a point; the light is in this direction (length 1) at this distance. The solid
  /// numbered `owner` is left out: a point on it is lit as it faces the light.
  func openness(
    _ start: Vector3, _ direction: Vector3, distance: Float, spread: Float, owner: Int32 = -1
  ) -> Float {
    var open: Float = 1
    var index = 0
    while index < balls.count, open > 0.01 {
      let ball = balls[index]
      let toward = ball.middle - start
      let along = toward.dot(direction)
      let blur = self.blur(spread, along.atMost(distance))
      let wide = ball.radius + blur
      if along > -ball.radius, along - ball.radius < distance, toward.dot(toward) - along * along < wide * wide,
        numbers[index] != owner
      {
        open *= 1 - solids[index].shade(start, direction, distance: distance, blur: blur)
      }
      index += 1
    }
    return open
  }

  /// How much the solids nearby darken a point; 1 far from all of them.
  func contact(_ point: Vector3) -> Float {
    var open: Float = 1
    for (solid, ball) in zip(solids, balls) where (ball.middle - point).length < ball.radius + 0.2 {
      let gap = solid.clearance(point)
      if gap < 0.2 { open *= 1 - 0.5 * (1 - 5 * gap) * (1 - 5 * gap) * (1 - 5 * gap) * (1 - 5 * gap) }
    }
    return open
  }

  private func blur(_ spread: Float, _ along: Float) -> Float { edge + spread * along.atLeast(0) }
}
