import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// A veiled stream looks like a live one, by all that can be counted from outside over hundreds of segments.
///
/// The scene is painted and small, and coded fast. With `QUIETCAM_LIKENESS_FOLDER=FOLDER` (of JPEGs) one more test
/// counts 200 segments of each with the camera's default settings, nearly five hours of media in less than half of one.
/// Pictures are drawn at random: in their own order each would be like the one before, and the probabilities are of
/// samples that know nothing of each other.
@Suite struct VeilSimilarityTests {
  private let logger = Logger.silent
  private let size = PictureSize(width: 96, height: 72)

  /// A camera: its settings, its pictures, and when it sends them.
  private struct Model {
    let settings: CameraSettings
    /// The longest loop that is made of it, in segments.
    var loopSegments = 100
    private let stills: [ByteBuffer]
    /// The time from still to still, and how much later than due each may come: by its timer, as cameras send.
    private let (interval, lateness): (Int64, Int64)
    private var generator = SeededGenerator(seed: 3)
    private var timer: Int64 = 300
    /// How long it is until the next still, in milliseconds.
    private(set) var due: Int64 = 300

    init(_ settings: CameraSettings, stills: [ByteBuffer], interval: Int64 = 1550, lateness: Int64 = 150) {
      self.settings = settings
      self.stills = stills
      (self.interval, self.lateness) = (interval, lateness)
    }

    mutating func next() throws -> ByteBuffer {
      timer += interval
      due = timer + Int64.random(in: 0...lateness, using: &generator)
      return try #require(stills.randomElement(using: &generator))
    }

    mutating func pass(_ time: Int64) { (timer, due) = (timer - time, due - time) }
  }

  private func settings() throws -> CameraSettings {
    try .sample(size: size, rate: 4, segment: .seconds(2), hold: nil, steady: .zero)
  }

  /// Stills of a noisy scene in which a bright patch wanders; each differs from the others.
  private func stills(_ count: Int, noise: Int, seed: UInt64) throws -> [ByteBuffer] {
    var generator = SeededGenerator(seed: seed)
    var encoder = JPEGEncoder(quality: 80)
    return try (0..<count).map { _ in
      let (left, top) = (Int.random(in: 0..<80, using: &generator), Int.random(in: 0..<56, using: &generator))
      var pixels: [UInt8] = []
      for y in 0..<size.height {
        for x in 0..<size.width {
          let patch = (left..<left + 16).contains(x) && (top..<top + 16).contains(y) ? 90 : 0
          let luma = 40 + x + y / 2 + patch + Int.random(in: -noise...noise, using: &generator)
          pixels += [UInt8](repeating: UInt8(clamping: luma), count: 3)
        }
      }
      return try encoder.encode(try Frame.rgb(pixels, size: size))
    }
  }

  /// Lets a camera show its stills for so many segments.
  private func show(
    _ segments: Int, of model: inout Model, _ camera: Camera, _ clock: TurnedClock, viewer: CountingViewer?
  ) async throws {
    let timeline = camera.settings.timeline
    for _ in 0..<segments * timeline.partsPerSegment {
      var spent: Int64 = 0
      let slot = timeline.part.milliseconds
      while model.due < slot {
        let due = model.due
        await clock.advance(by: .milliseconds(due - spent))
        spent = due
        _ = try camera.take(try model.next())
      }
      await clock.advance(by: .milliseconds(slot - spent))
      model.pass(slot)
      try await viewer?.look(at: camera)
    }
  }

  private enum LoopKind {
    /// Recorded from the camera itself.
    case recording
    /// Made of stills of the same scene, which come in the camera's rhythm.
    case stills
    /// Made of stills of another scene.
    case otherScene
  }

  /// Makes the camera's loop.
  private func make(
    _ kind: LoopKind, in folder: String, _ camera: Camera, _ clock: TurnedClock, _ model: inout Model
  ) async throws {
    let source = LoopSource(kind: .recording, path: "")
    let length = camera.settings.timeline.segment * Int64(model.loopSegments)
    guard kind != .recording else {
      try await show(model.loopSegments * 11 / 10, of: &model, camera, clock, viewer: nil)
      let file = try #require(camera.recent.file(span: length, segment: camera.settings.timeline.segment))
      var maker = try LoopMaker.open(folder: folder, settings: camera.settings, isProcessed: true, logger: logger)
      #expect(try maker.append(try LoopRecording(file), mayReuse: true, limit: length, progress: { _ in }))
      #expect(try maker.finish(source: source, made: .now).segments > model.loopSegments * 7 / 8)
      return
    }
    var painted = model
    if kind == .otherScene { painted = Model(camera.settings, stills: try stills(100, noise: 12, seed: 2)) }
    var maker = try LoopMaker.open(folder: folder, settings: camera.settings, logger: logger)
    painted.pass(painted.due)
    while painted.due < length.milliseconds {
      if painted.due > 0 { try maker.hold(until: .milliseconds(painted.due)) }
      try maker.append(try painted.next())
    }
    try maker.hold(until: length)
    #expect(try maker.finish(source: source, made: .now).segments == model.loopSegments)
    try await show(20, of: &model, camera, clock, viewer: nil)
  }

  /// Counts live and veiled segments in turn.
  private func count(_ kind: LoopKind, _ model: consuming Model, segments: Int) async throws
    -> [Director.Source: PublicCount]
  {
    let folder = TemporaryFolder.path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (clock, viewer) = (TurnedClock(), CountingViewer())
    let camera = Camera(settings: model.settings, clock: clock.stationClock)
    let pool = EncodePool(threads: 1)
    let logger = logger
    var model = model
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: pool) {
        let loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: logger)
        await loop.run()
      }
      await clock.settle()
      try await make(kind, in: folder, camera, clock, &model)
      for _ in 0..<5 {
        for order in [Director.Order.veil, .unveil] {
          async let isDone = camera.carryOut(.order(order))
          try await show(1, of: &model, camera, clock, viewer: nil)
          #expect(await isDone)
          viewer.skip(camera)
          try await show(segments / 5 + 6, of: &model, camera, clock, viewer: viewer)
        }
      }
      group.cancelAll()
      try await group.waitForAll()
    }
    await pool.shutDown()
    return viewer.counted
  }

  /// How probable it is, for each thing that was counted, that live and veiled are so far apart by chance.
  private func probabilities(_ kind: LoopKind, _ model: Model, segments: Int = 200) async throws -> [String: Double] {
    let counted = try await count(kind, model, segments: segments)
    let (live, veiled) = (try #require(counted[.live]), try #require(counted[.veiled]))
    #expect(Set(counted.keys) == [.live, .veiled])
    #expect(min(live.segments.count, veiled.segments.count) >= segments)
    #expect(live.shapes == veiled.shapes, "boxes and counted numbers of segments")
    let steadiness = (live.steadiness, veiled.steadiness)
    print("eight intervals differ by \(steadiness.0) ms where live, by \(steadiness.1) ms where veiled")
    if kind == .recording {
      // A camera's timer never drifts, and times that are drawn one by one do, five times as far and more.
      #expect(steadiness.1 < 3 * steadiness.0, "eight intervals differ by \(steadiness) ms")
    }
    return Dictionary(
      uniqueKeysWithValues: zip(live.all, veiled.all).map { live, veiled in
        // A loop that turns twice says nothing new the second time.
        let new = min(veiled.values.count, veiled.values.count * model.loopSegments / segments)
        let found = PublicCount.compare(live.values, veiled.values, count: new)
        print(
          "\(live.name): \(live.values.count) and \(veiled.values.count), apart by \(found.distance), "
            + "by chance with a probability of \(found.probability)")
        return (live.name, found.probability)
      })
  }

  private func expectAlike(_ probabilities: [String: Double]) {
    for (name, probability) in probabilities.sorted(by: { $0.key < $1.key }) {
      #expect(probability > 1e-4, "\(name): so far apart by chance with a probability of \(probability)")
    }
  }

  private func model() throws -> Model { Model(try settings(), stills: try stills(100, noise: 20, seed: 1)) }

  @Test func twoHundredSegmentsOfALoopOfStillsAreLikeTwoHundredLiveOnes() async throws {
    expectAlike(try await probabilities(.stills, try model()))
  }

  @Test func twoHundredSegmentsOfARecordingAreLikeTwoHundredLiveOnes() async throws {
    expectAlike(try await probabilities(.recording, try model()))
  }

  @Test func theCountingTellsALoopOfAnotherScene() async throws {
    let probabilities = try await probabilities(.otherScene, try model(), segments: 60)
    #expect(try #require(probabilities["bytes of segments"]) < 1e-6)
    #expect(try #require(probabilities["bytes of parts"]) < 1e-6)
    let quantizer = probabilities.filter { $0.key.hasSuffix("slice_qp_delta") }.values.min()
    #expect(try #require(quantizer) < 1e-4, "the choices of the encoder differ, and that is seen")
  }

  private static let folder = ProcessInfo.processInfo.environment["QUIETCAM_LIKENESS_FOLDER"]

  @Test(.enabled(if: folder != nil)) func realPicturesAtTheDefaultSettingsAreAlike() async throws {
    let folder = URL(fileURLWithPath: try #require(Self.folder))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".jpg") }
    let stills = try names.sorted().map { ByteBuffer(bytes: try Data(contentsOf: folder.appending(path: $0))) }
    var settings = CameraSettings.standardSample()
    settings.remember = .seconds(3600)
    let model = Model(settings, stills: stills, interval: 2050, lateness: 100)
    expectAlike(try await probabilities(.recording, model))
  }
}
