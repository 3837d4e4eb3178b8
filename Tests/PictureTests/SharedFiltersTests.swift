import CFFmpeg
import Ingest
import Media
import Testing

@testable import Picture

/// What cameras share of their filters.
@Suite struct SharedFiltersTests {
  private static let size = PictureSize(width: 160, height: 120)

  /// The filter of a camera, and the picture that it shows.
  private final class Camera {
    private var filter: PictureFilter
    private var current: Frame?

    init(_ settings: PictureSettings, _ filters: SharedFilters) {
      filter = PictureFilter(settings: settings, filters: filters)
    }

    /// - Returns: where the picture's luma is.
    func show(seed: UInt64) throws -> UnsafeMutablePointer<UInt8>? {
      current = try filter.process(try grainyStill(size: SharedFiltersTests.size, grain: 20, seed: seed), orientation: .upright)
      return current?.withPlane(0) { $0.row(0).baseAddress }
    }

    /// The picture's planes.
    func planes() -> Planes? {
      guard let shown = try? current?.shared() else { return nil }
      return Planes(shown)
    }
  }

  private static let kinds = [
    PictureSettings(size: size), PictureSettings(size: size, denoise: 0),
    PictureSettings(size: PictureSize(width: 96, height: 64), fit: .contain),
    PictureSettings(size: size, blur: 2, isGray: true),
  ]

  /// Whatever cameras there are besides, and in whatever order their stills come.
  @Test func aCameraGetsWhatItGetsAlone() throws {
    let together = SharedFilters()
    let cameras = Self.kinds.map { Camera($0, together) }
    let alone = Self.kinds.map { Camera($0, SharedFilters()) }
    for seed in 0..<UInt64(12) {
      let index = Int(seed * 7 % 4)
      _ = try cameras[index].show(seed: seed)
      _ = try alone[index].show(seed: seed)
      #expect(cameras[index].planes() == alone[index].planes(), "still \(seed)")
      if seed == 8 { together.forget() }
    }
  }

  /// With a graph for each camera, it would keep the memory of a second picture for the next still.
  @Test(arguments: [0, 10]) func aCameraTakesTheMemoryOfOnePicture(denoise: Int) throws {
    let filters = SharedFilters()
    let cameras = (0..<8).map { _ in Camera(PictureSettings(size: Self.size, denoise: denoise), filters) }
    var places: Set<UnsafeMutablePointer<UInt8>> = []
    for round in 0..<UInt64(5) {
      for (index, camera) in cameras.enumerated() {
        places.insert(try #require(try camera.show(seed: round * 8 + UInt64(index))))
      }
    }
    // A new picture is there before the one that it replaces is given back.
    #expect(places.count == cameras.count + 1)
  }
}
