/// The picture a demo camera takes: a desk under a window, lit by the time of day.
///
/// Sunlight moves over desk and wall from 6:00 to 20:00, a desk lamp and a monitor light the room at night, the clock
/// on the wall and the digital one on the desk show the true time, a mug steams and a cat's tail sways. Nothing else
/// moves. What does not depend on the time is computed when the scene is made; painting only reads it.
package struct DemoScene: Sendable {
  let backdrop: Backdrop
  private let noise: ValueNoise
  private let curve = ToneCurve()
  private let grain: FilmGrain?

  /// Prepares the scene for one picture size, from 1x1 to about 1920x1080 pixels; takes several times as long as
  /// painting. The same seed, size and moment always paint the same picture, to the byte.
  ///
  /// - Parameters:
  ///   - seed: chooses wood grain, books, clouds and the noise.
  ///   - grain: adds the noise of a small image sensor, different in each still; without it the picture is the true
  ///     scene.
  package init(width: Int, height: Int, seed: UInt64, grain: Bool = true) {
    precondition(
      width > 0 && height > 0, "a demo scene of \(width)x\(height) has no pixels; make it at least 1x1")
    noise = ValueNoise(seed: seed)
    backdrop = Backdrop(width: width, height: height, noise: noise)
    self.grain = grain ? FilmGrain(seed: seed) : nil
  }

  /// Paints the still of one moment.
  ///
  /// - Parameters:
  ///   - millisecondsOfDay: local time of day, 0..<86_400_000; other values wrap around. The clocks show it and the
  ///     light follows it, in steps of ten seconds so that stills close together share most of their pixels.
  ///   - frame: number of the still; used only for the grain.
  package func paint(millisecondsOfDay: Int64, frame: Int) -> PixelCanvas {
    let day: Int64 = 86_400_000
    let moment = (millisecondsOfDay % day + day) % day
    let (width, height) = (backdrop.lens.width, backdrop.lens.height)
    var picture = LightField(backdrop: backdrop, light: Daylight(millisecondsOfDay: moment), noise: noise)
    picture.drawClocks(millisecondsOfDay: moment)
    picture.drawTail(millisecondsOfDay: moment)
    picture.mirrorInDesk()
    picture.drawSteam(millisecondsOfDay: moment)
    picture.develop(curve)
    var canvas = PixelCanvas(width: width, height: height)
    canvas.rgb.withUnsafeMutableBufferPointer { bytes in
      picture.values.withUnsafeBufferPointer { codes in
        guard let from = codes.baseAddress, let into = bytes.baseAddress else { return }
        if let grain {
          grain.develop(from, width: width, height: height, frame: frame, into: into)
        } else {
          for at in 0..<codes.count { into[at] = FilmGrain.rounded(from[at]) }
        }
      }
    }
    return canvas
  }
}
