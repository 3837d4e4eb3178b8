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

    /// - Returns: how many blocks of memory the picture has; a filter gives each plane one.
    func show(seed: UInt64) throws -> Int {
      let still = try grainyStill(size: SharedFiltersTests.size, grain: 20, seed: seed)
      let picture = try filter.process(still, orientation: .upright)
      current = try picture.shared()
      return picture.pointer.pointee.buf.1 == nil ? 1 : 3
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
    PictureSettings(size: size, isGray: true, blur: 2),
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

  /// Otherwise its graph would keep the memory for two pictures of each camera that ever had two.
  @Test(arguments: kinds) func whatAGraphMadeIsGivenBackToIt(_ settings: PictureSettings) throws {
    let camera = Camera(settings, SharedFilters())
    for seed in 0..<UInt64(3) { #expect(try camera.show(seed: seed) == 1) }
  }
}
