import Glibc

/// The light of one moment of the day: where the sun is, and how strong and of what colour every light of the room is.
///
/// The sun rises at 6:00 and sets at 20:00 every day. All colours are linear; 1 is about a white sheet at noon.
struct Daylight: Sendable {
  /// Milliseconds for which the light does not change, so that two stills close together share most of their pixels.
  static let step: Int64 = 10_000

  /// Height of the sun above the horizon, degrees.
  let elevation: Float
  let beam: Sunbeam
  let sun: Vector3
  /// Light of the sky that enters by the windows.
  let sky: Vector3
  /// Diffuse light of the room.
  let room: Vector3
  let lamp: Vector3
  let screen: Vector3
  /// Brightness of the digital clock's digits; it dims itself at night.
  let digits: Float
  let exposure: Float
  let zenith: Vector3
  let horizon: Vector3
  /// 0 by day, 1 by night: stars, lit windows.
  let night: Float
  /// Hours since midnight, for what moves outside.
  let hours: Float

  init(millisecondsOfDay: Int64) {
    hours = Float(millisecondsOfDay / Daylight.step * Daylight.step) / 3_600_000
    let phase = (hours - 6) / 14
    let dark = (hours < 6 ? hours + 4 : hours - 20) / 10
    let height = phase >= 0 && phase <= 1 ? 46 * sinf(phase * .pi) : -26 * sinf(dark * .pi)
    elevation = height
    let up = height * .pi / 180
    let way = phase.clamped
    let turn = (-80 + 147 * way + 81 * way * way) * .pi / 180
    beam = Sunbeam(direction: Vector3(cosf(up) * sinf(turn), sinf(up), cosf(up) * cosf(turn)))

    // The lower the sun, the more air its light passes, which removes blue first.
    let air = 1 / (max(sinf(up), 0) + 0.07)
    let clear = Vector3(expf(-0.04 * air), expf(-0.18 * air), expf(-0.44 * air))
    let sunlight = clear * (3.4 * height.smoothed(from: -0.5, to: 7) + 9 * height.smoothed(from: 14, to: 42))
    sun = sunlight
    let day = height.smoothed(from: -7, to: 30)
    let dusk = height.smoothed(from: -9, to: 1) * height.smoothed(from: 24, to: 3)
    let moonlit = Vector3(0.013, 0.020, 0.036)
    let skylight =
      Vector3(0.92, 1.0, 1.10) * (2.3 * day) + Vector3(0.52, 0.33, 0.29) * (0.60 * dusk) + moonlit
    sky = skylight
    night = height.smoothed(from: 1, to: -8)

    // The lamp is on from dusk to morning; the change takes a minute.
    let evening = hours.smoothed(from: 19.27, to: 19.29)
    let morning = hours.smoothed(from: 6.86, to: 6.84)
    lamp = Vector3(1.0, 0.60, 0.30) * (0.20 * max(evening, morning))
    room = skylight * 0.17 + sunlight * Vector3(0.018, 0.016, 0.013) + lamp * Vector3(0.23, 0.26, 0.34)
    let dimmed = Float(0.30).mixed(with: 1, day)
    screen = Vector3(0.75, 0.90, 1.0) * (0.55 * dimmed)
    digits = Float(0.9).mixed(with: 3.0, day)

    let key = 0.10 + 0.46 * skylight.luminance + 0.025 * sunlight.luminance + 0.25 * lamp.luminance
    exposure = 0.80 / powf(key, 0.72)

    let blue = Vector3(0.10, 0.24, 0.62) * (1.5 * day)
    zenith = blue + Vector3(0.09, 0.08, 0.16) * (0.8 * dusk) + Vector3(0.0035, 0.0055, 0.014)
    horizon =
      Vector3(0.62, 0.78, 0.98) * (1.35 * day) + Vector3(0.95, 0.40, 0.16) * (0.8 * dusk)
      + Vector3(0.010, 0.014, 0.026)
  }
}
