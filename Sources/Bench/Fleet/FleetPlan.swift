import Media
import NIOCore

/// What the cameras of `bench cameras` send, and when. Each has its own phase and its own place in the pictures.
package struct FleetPlan: Sendable {
  /// How many cameras.
  package let count: Int
  /// The time between the stills of one camera.
  package let every: Ticks
  /// The JPEGs, in the order in which a scene changes.
  package let stills: [ByteBuffer]

  /// A plan for this many cameras.
  ///
  /// - Precondition: there is a still.
  package init(count: Int, every: Ticks, stills: [ByteBuffer]) {
    precondition(!stills.isEmpty, "a fleet needs stills")
    (self.count, self.every, self.stills) = (count, every, stills)
  }

  /// The name of a camera, counted from 0.
  static func name(_ camera: Int) -> String { "bench-\(camera + 1)" }

  /// The mean size of a still in bytes.
  package var meanBytes: Int { stills.reduce(0) { $0 + $1.readableBytes } / stills.count }

  /// When a camera sends its still of this number, after the start of all.
  ///
  /// The cameras are spread evenly over the interval, by the multiples of the square root of 2. Each still is up to 30 ms
  /// late, as those of real cameras are.
  func due(_ number: Int, of camera: Int) -> Ticks {
    let phase = Int64(camera) * 414_214 % 1_000_000 * every.count / 1_000_000
    let late = (Int64(camera) * 7919 + Int64(number) * 618_034) % 1_000_000 * Ticks.milliseconds(30).count / 1_000_000
    return every * Int64(number) + Ticks(phase + late)
  }

  /// The index of the still of this number. The pictures are sent forwards and backwards by turns, so that a scene never
  /// jumps.
  func still(_ number: Int, of camera: Int) -> Int {
    guard stills.count > 1 else { return 0 }
    let period = 2 * (stills.count - 1)
    let place = (number + camera * 13) % period
    return place < stills.count ? place : period - place
  }
}
