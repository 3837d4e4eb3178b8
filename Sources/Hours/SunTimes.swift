#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// A point on the earth, in millionths of a degree.
package struct Place: Hashable, Sendable {
  /// North is positive; -90 to 90 degrees.
  package let latitude: Int64
  /// East is positive; -180 to 180 degrees.
  package let longitude: Int64

  /// The point, or `nil` if there is none with these numbers.
  package init?(latitude: Int64, longitude: Int64) {
    guard abs(latitude) <= 90_000_000, abs(longitude) <= 180_000_000 else { return nil }
    self.latitude = latitude
    self.longitude = longitude
  }

  /// How many seconds the place's mean solar time is ahead of UTC.
  var solarOffset: Int64 { longitude * 240 / 1_000_000 }
}

/// What the sun does twice a day: its centre passes a height.
package enum SunEvent: String, Hashable, Sendable, CaseIterable {
  /// The beginning of civil twilight: 6 degrees below the horizon.
  case dawn
  /// The upper edge appears: 0.833 degrees below the horizon, for refraction and the sun's radius.
  case sunrise
  /// The upper edge disappears.
  case sunset
  /// The end of civil twilight.
  case dusk

  /// Whether it is before the sun's highest moment of its day.
  var isMorning: Bool { self == .dawn || self == .sunrise }

  /// The height of the sun's centre, in degrees.
  fileprivate var height: Double { self == .dawn || self == .dusk ? -6 : -0.833 }
}

/// When the sun rises and sets at a place: to a minute or better between 1950 and 2100 (Meeus, "Astronomical
/// Algorithms", chapters 15, 25 and 28, with the low-accuracy position of the sun).
///
/// On a day on which the sun does not come up to the height, its highest moment counts as both of its events; on a day
/// on which it does not go down to it, the lowest moments before and after count. So a day between sunrise and sunset is
/// empty in the polar night and whole in the polar day, and there is no jump between.
struct SunTimes: Hashable, Sendable {
  let place: Place

  /// The event of the solar day whose middle is nearest to a moment.
  ///
  /// - Parameter noon: seconds since 1970.
  /// - Returns: seconds since 1970.
  func moment(of event: SunEvent, nearestTo noon: Int64) -> Int64 {
    let day: Int64 = 86_400
    // Mean noon at the place, which the sun's own noon is within 17 minutes of.
    let shifted = noon + place.solarOffset
    let mean = (shifted >= 0 ? shifted : shifted - day + 1) / day * day + day / 2 - place.solarOffset
    var moment = mean
    for _ in 0..<5 {
      let sun = Sun(at: moment)
      let half = seconds(halfDay(event, declination: sun.declination))
      moment = mean - seconds(sun.equationOfTime) + (event.isMorning ? -half : half)
    }
    return moment
  }

  /// The angle, in degrees, that the earth turns from the event to the sun's highest moment; 0 or 180 where there is no
  /// such event.
  private func halfDay(_ event: SunEvent, declination: Double) -> Double {
    let latitude = Double(place.latitude) / 1_000_000
    let level = max(cosine(latitude) * cosine(declination), 1e-12)
    let ratio = (sine(event.height) - sine(latitude) * sine(declination)) / level
    return acos(min(1, max(-1, ratio))) / .pi * 180
  }

  /// How many seconds the earth needs to turn by an angle in degrees.
  private func seconds(_ degrees: Double) -> Int64 { Int64((degrees * 240).rounded()) }
}

/// Where the sun is seen from the centre of the earth (Meeus, chapter 25), in degrees.
private struct Sun {
  let declination: Double
  /// How far the sun is ahead of the mean sun (chapter 28, Smart's series).
  let equationOfTime: Double

  /// - Parameter moment: seconds since 1970.
  init(at moment: Int64) {
    // Centuries since noon of 2000-01-01.
    let centuries = Double(moment - 946_728_000) / 86_400 / 36_525
    let meanLongitude = 280.46646 + centuries * (36_000.76983 + centuries * 0.0003032)
    let anomaly = 357.52911 + centuries * (35_999.05029 - centuries * 0.0001537)
    let eccentricity = 0.016708634 - centuries * 0.000042037
    let centre =
      sine(anomaly) * (1.914602 - centuries * 0.004817) + sine(2 * anomaly) * (0.019993 - centuries * 0.000101)
      + sine(3 * anomaly) * 0.000289
    let node = 125.04 - 1934.136 * centuries
    let longitude = meanLongitude + centre - 0.00569 - 0.00478 * sine(node)
    let obliquity = 23.439291 - 0.0130042 * centuries + 0.00256 * cosine(node)
    declination = asin(sine(obliquity) * sine(longitude)) / .pi * 180
    let half = sine(obliquity / 2) / cosine(obliquity / 2)
    let y = half * half
    let series =
      y * sine(2 * meanLongitude) - 2 * eccentricity * sine(anomaly)
      + 4 * eccentricity * y * sine(anomaly) * cosine(2 * meanLongitude) - y * y / 2 * sine(4 * meanLongitude)
      - 1.25 * eccentricity * eccentricity * sine(2 * anomaly)
    equationOfTime = series / .pi * 180
  }
}

private func sine(_ degrees: Double) -> Double { sin(degrees / 180 * .pi) }
private func cosine(_ degrees: Double) -> Double { cos(degrees / 180 * .pi) }
