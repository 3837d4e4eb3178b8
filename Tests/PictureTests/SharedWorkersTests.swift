import Media
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import Picture

@Suite struct SharedWorkersTests {
  private static let sizes = [
    PictureSize(width: 96, height: 64), PictureSize(width: 160, height: 120), PictureSize(width: 98, height: 66),
  ]

  private static func alone(_ size: PictureSize, seed: UInt64, quality: Int) throws -> ByteBuffer {
    var encoder = JPEGEncoder(quality: quality)
    return try encoder.encode(try grainyPicture(size: size, grain: 25, seed: seed))
  }

  /// What a camera gets does not depend on the pictures of others, in whatever order they come.
  @Test func aSharedEncoderAndMeterGiveWhatThoseOfACameraGive() throws {
    for seed in 0..<UInt64(12) {
      let (size, quality) = (Self.sizes[Int(seed) % 3], seed % 4 == 0 ? 60 : 75)
      let picture = try grainyPicture(size: size, grain: 25, seed: seed)
      #expect(
        try SharedWorkers.jpeg(of: picture, quality: quality) == (try Self.alone(size, seed: seed, quality: quality)))
      let reference = try grainyPicture(size: size, grain: 5, seed: seed + 1)
      var meter = SimilarityMeter()
      #expect(
        try SharedWorkers.similarity(of: picture, to: reference) == (try meter.measure(picture, reference)))
      if seed == 7 { SharedWorkers.forget() }
    }
  }

  @Test func severalThreadsShareThem() async throws {
    let expected = try (0..<UInt64(8)).map { try Self.alone(Self.sizes[0], seed: $0, quality: 75) }
    try await withThrowingTaskGroup(of: [ByteBuffer].self) { group in
      for _ in 0..<8 {
        group.addTask {
          try (0..<UInt64(8)).map {
            let picture = try grainyPicture(size: Self.sizes[0], grain: 25, seed: $0)
            return try SharedWorkers.jpeg(of: picture, quality: 75)
          }
        }
      }
      for try await found in group { #expect(found == expected) }
    }
  }

  // MARK: The shelf

  /// A worker with a name that tells when it is freed.
  private struct Worker: ~Copyable {
    let name: Int
    let freed: NIOLockedValueBox<[Int]>
    deinit { freed.withLockedValue { [name] in $0.append(name) } }
  }

  private let freed = NIOLockedValueBox<[Int]>([])
  private let shelf = WorkerShelf<String, Worker>()

  private func put(_ name: Int, _ shape: String) {
    shelf.put(Worker(name: name, freed: freed), shape, of: shelf.generation)
  }

  private func taken(_ shape: String) -> Int? {
    guard let worker = shelf.take(shape) else { return nil }
    return worker.name
  }

  @Test func oneThatIsIdleIsTakenByItsShape() {
    put(1, "wide")
    put(2, "high")
    put(3, "wide")
    #expect(taken("square") == nil && freed.withLockedValue { $0 } == [])
    #expect(taken("wide") == 3 && taken("high") == 2 && taken("wide") == 1 && taken("wide") == nil)
  }

  @Test func tooManyAreNotKept() {
    for name in 0..<40 { put(name, "\(name)") }
    #expect(freed.withLockedValue { $0 } == Array(0..<8), "those that were used longest ago")
    #expect(taken("7") == nil && taken("8") == 8 && taken("39") == 39)
  }

  @Test func noMoreOfAShapeAreKeptThanThereAreProcessors() {
    let most = min(32, max(2, System.coreCount))
    for name in 0..<most + 3 { put(name, "wide") }
    #expect(freed.withLockedValue { $0 } == Array(most..<most + 3))
    #expect(taken("wide") == most - 1)
  }

  /// One that is in use meanwhile has pixels too.
  @Test func allAreForgotten() {
    put(1, "wide")
    put(2, "wide")
    let before = shelf.generation
    let used = shelf.take("wide")
    shelf.forget()
    #expect(freed.withLockedValue { $0 } == [1] && taken("wide") == nil)
    if let used { shelf.put(used, "wide", of: before) }
    #expect(freed.withLockedValue { $0 } == [1, 2] && taken("wide") == nil)
    put(3, "wide")
    #expect(taken("wide") == 3)
  }
}
