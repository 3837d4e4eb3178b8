import Glibc

/// The clock on the wall: its printed face, and its hands at a time of day.
///
/// Places are metres right and up from the middle of the dial.
struct WallClock {
  private struct Hand {
    let along: (x: Float, y: Float)
    let tail: Float
    let tip: Float
    let half: Float
    let colour: Vector3
  }

  private static let radius = Room.dialRadius
  private let hands: [Hand]

  init(millisecondsOfDay: Int64) {
    // Hour and minute hand move continuously, the second hand ticks.
    let seconds = millisecondsOfDay / 1000
    let radius = WallClock.radius
    func hand(_ turns: Float, _ tail: Float, _ tip: Float, _ half: Float, _ colour: Vector3) -> Hand {
      let angle = turns * 2 * .pi
      return Hand(
        along: (sinf(angle), cosf(angle)), tail: -tail * radius, tip: tip * radius, half: half * radius, colour: colour)
    }
    let ink = Vector3(0.015)
    hands = [
      hand(Float(seconds % 43_200) / 43_200, 0.12, 0.50, 0.042, ink),
      hand(Float(seconds % 3_600) / 3_600, 0.14, 0.76, 0.030, ink),
      hand(Float(seconds % 60) / 60, 0.22, 0.80, 0.014, Vector3(0.55, 0.03, 0.02)),
    ]
  }

  /// The printed face without hands.
  static func face(_ x: Float, _ y: Float, paper: Vector3, pixel: Float) -> Vector3 {
    let away = (x * x + y * y).squareRoot() / radius
    guard away > 0.66, away < 0.90 else { return paper }
    let turn = atan2f(x, y) / (2 * .pi) + 1
    let blur = pixel / radius
    // Distance, along the circle, to the nearest of 12 and of 60 marks.
    let hour = ((turn * 12).rounded() / 12 - turn) * 2 * .pi * away
    let minute = ((turn * 60).rounded() / 60 - turn) * 2 * .pi * away
    let quarter = Int((turn * 12).rounded()) % 3 == 0
    let long = (away - (quarter ? 0.77 : 0.795)).covered(half: quarter ? 0.085 : 0.06, blur: blur)
    let short = (away - 0.84).covered(half: 0.018, blur: blur)
    let thick = hour.covered(half: quarter ? 0.022 : 0.013, blur: blur)
    let thin = minute.covered(half: 0.005, blur: blur) * (1.4 - 25 * blur).clamped
    return paper.mixed(with: Vector3(0.02), max(long * thick, 0.75 * short * thin))
  }

  /// How the hands change the light that the bare face reflects.
  func overlaid(_ light: Vector3, _ x: Float, _ y: Float, paper: Vector3, pixel: Float) -> Vector3 {
    var shadow: Float = 1
    // The room's light comes from the upper left, so the hands' shadows fall to the lower right.
    for (index, hand) in hands.enumerated() {
      let lift = 0.003 + 0.0015 * Float(index)
      shadow *= 1 - 0.30 * WallClock.cover(hand, x - lift, y + lift, blur: max(0.007, pixel))
    }
    var seen = light * shadow
    for hand in hands {
      let share = WallClock.cover(hand, x, y, blur: pixel)
      guard share > 0 else { continue }
      let ink = Vector3(
        light.x * hand.colour.x / paper.x, light.y * hand.colour.y / paper.y, light.z * hand.colour.z / paper.z)
      seen = seen.mixed(with: ink, share)
    }
    let hub = (x * x + y * y).squareRoot()
    let red = Vector3(light.x * 0.5, light.y * 0.03, light.z * 0.02)
    return seen.mixed(with: red, ((WallClock.radius * 0.035 - hub) / pixel + 0.5).clamped)
  }

  private static func cover(_ hand: Hand, _ x: Float, _ y: Float, blur: Float) -> Float {
    let along = x * hand.along.x + y * hand.along.y
    guard along > hand.tail - blur, along < hand.tip + blur else { return 0 }
    let across = x * hand.along.y - y * hand.along.x
    let half = max(hand.half, pixelFloor(blur))
    let side = across.covered(half: half, blur: blur)
    let ends = (min(along - hand.tail, hand.tip - along) / blur + 0.5).clamped
    return side * ends
  }

  /// A hand is drawn at least this half width, so that it stays visible in small pictures.
  private static func pixelFloor(_ blur: Float) -> Float { min(blur, 0.004) * 0.55 }
}
