import Camera
import Foundation
import Media
import NIOCore
import Picture

/// A camera without hardware: paints its scene for the moment of each beat.
package actor DemoSource: StillSource {
  private let scene: DemoScene
  private let size: PictureSize
  private let millisecondsOfDay: @Sendable (_ beat: Beat) -> Int64
  private var encoder: JPEGEncoder
  private let executor = ThreadExecutor(name: "demo camera")

  /// The thread that it paints on.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A scene that shows the true local time.
  ///
  /// - Parameter quality: of the JPEGs, 1 to 100.
  package init(size: PictureSize, seed: UInt64, grain: Bool = true, quality: Int = 50) {
    self.init(size: size, seed: seed, grain: grain, quality: quality) { _ in Self.localMilliseconds() }
  }

  /// A scene that begins at some time of day and advances with the beats, the same in every run.
  package init(size: PictureSize, seed: UInt64, grain: Bool, quality: Int, from start: Ticks) {
    self.init(size: size, seed: seed, grain: grain, quality: quality) { beat in
      (start + beat.time).milliseconds % 86_400_000
    }
  }

  private init(
    size: PictureSize, seed: UInt64, grain: Bool, quality: Int,
    millisecondsOfDay: @escaping @Sendable (_ beat: Beat) -> Int64
  ) {
    self.size = size
    self.millisecondsOfDay = millisecondsOfDay
    scene = DemoScene(width: size.width, height: size.height, seed: seed, grain: grain)
    encoder = JPEGEncoder(quality: quality)
  }

  /// The scene at the moment of the beat.
  package func next(_ beat: Beat) async throws -> NextStill {
    let canvas = scene.paint(millisecondsOfDay: millisecondsOfDay(beat), frame: Int(beat.index))
    return .still(try encoder.encode(try Frame.rgb(canvas.rgb, size: size)))
  }

  /// Nothing to end: painting is quick.
  package nonisolated func stop() {}

  /// The local time of day in milliseconds, for the clocks in the scene.
  private static func localMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var local = tm()
    localtime_r(&now.tv_sec, &local)
    let seconds = (Int64(local.tm_hour) * 60 + Int64(local.tm_min)) * 60 + Int64(min(local.tm_sec, 59))
    return seconds * 1000 + Int64(now.tv_nsec) / 1_000_000
  }
}
