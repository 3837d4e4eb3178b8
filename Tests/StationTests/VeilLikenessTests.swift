import Access
import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// A veiled stream looks like a live one, by all that can be counted from outside over hundreds of segments.
@Suite struct VeilLikenessTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private let size = PictureSize(width: 96, height: 72)

  private func settings() throws -> CameraSettings {
    CameraSettings(
      name: try #require(CameraName("desk")), token: TokenDigest(of: "token"),
      picture: PictureSettings(size: size, denoise: 0), encoder: EncoderSettings(preset: .ultrafast),
      timeline: try TimelineSettings(rate: 4, part: .seconds(1), segment: .seconds(2)),
      ladder: Ladder.Settings(hold: nil, steady: .zero))
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

  /// What can be counted from outside.
  private struct Counted {
    var parts: [Double] = []
    var segments: [Double] = []
    var pictures: [Double] = []
    var gaps: [Double] = []
    var eventsOfParts: [Double] = []

    static var all: [(String, KeyPath<Counted, [Double]>)] {
      [
        ("bytes of parts", \.parts), ("bytes of segments", \.segments), ("bytes of latest.jpg", \.pictures),
        ("time from event to event", \.gaps), ("events with a part", \.eventsOfParts),
      ]
    }
  }

  /// A viewer who counts, and who knows what is live and what is not.
  private final class Viewer {
    var counted: [Director.Source: Counted] = [:]
    private var segmentBytes = 0.0
    private var lastID: Int64 = 0
    private var lastTime: Date?
    private var lastSource = Director.Source.off

    /// Passes over what has happened so far.
    func skip(_ camera: Camera) {
      lastID = camera.edge.newestEventID
      lastTime = nil
      segmentBytes = 0
    }

    func look(at camera: Camera) async throws {
      let source = camera.counters.source
      let playlist = try MediaPlaylist.parse(try #require(camera.edge.edition).media.plain)
      let part = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
      let bytes = Double(try #require(camera.edge.media(named: part.uri)).readableBytes)
      counted[source, default: Counted()].parts.append(bytes)
      segmentBytes += bytes
      if playlist.trailingParts.isEmpty {
        counted[source, default: Counted()].segments.append(segmentBytes)
        segmentBytes = 0
      }
      var events: [CameraEvent] = []
      if camera.edge.newestEventID > lastID {
        events = try #require(await camera.edge.events(after: lastID, deadline: .now + .seconds(5)))
        lastID = camera.edge.newestEventID
      }
      counted[source, default: Counted()].eventsOfParts.append(Double(events.count))
      for event in events {
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(event.json.utf8)) as? [String: Any])
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let time = try format.parse(try #require(fields["time"] as? String))
        if let lastTime, source == lastSource {
          counted[source, default: Counted()].gaps.append(time.timeIntervalSince(lastTime))
        }
        counted[source, default: Counted()].pictures.append(try #require(fields["bytes"] as? Double))
        lastTime = time
      }
      lastSource = source
    }
  }

  /// How far two distributions are apart (Kolmogorov and Smirnov), and how probable it is that two samples of one are.
  private func compare(_ left: [Double], _ right: [Double], count: Int) -> (distance: Double, probability: Double) {
    let (left, right) = (left.sorted(), right.sorted())
    var (i, j, distance) = (0, 0, 0.0)
    while i < left.count, j < right.count {
      let value = min(left[i], right[j])
      while i < left.count, left[i] == value { i += 1 }
      while j < right.count, right[j] == value { j += 1 }
      distance = max(distance, abs(Double(i) / Double(left.count) - Double(j) / Double(right.count)))
    }
    let root = (Double(left.count * count) / Double(left.count + count)).squareRoot()
    let lambda = (root + 0.12 + 0.11 / root) * distance
    let terms = (1...100).map { k in
      (k % 2 == 1 ? 2 : -2) * exp(-2 * Double(k * k) * lambda * lambda)
    }
    return (distance, min(1, max(0, terms.reduce(0, +))))
  }

  /// Lets a camera show its stills for so many segments, one about every second and a half, as cameras do.
  private func show(
    _ segments: Int, of stills: [ByteBuffer], _ camera: Camera, _ clock: TurnedClock,
    _ generator: inout SeededGenerator, _ due: inout Int64, viewer: Viewer?
  ) async throws {
    for _ in 0..<segments * 2 {
      var spent: Int64 = 0
      while due < 1000 {
        await clock.advance(by: .milliseconds(due - spent))
        spent = due
        _ = try camera.take(try #require(stills.randomElement(using: &generator)))
        due += 1400 + Int64.random(in: 0...300, using: &generator)
      }
      await clock.advance(by: .milliseconds(1000 - spent))
      due -= 1000
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

  /// Makes the camera's loop, of 100 segments.
  private func make(
    _ kind: LoopKind, in folder: String, _ camera: Camera, _ clock: TurnedClock, _ scene: [ByteBuffer],
    _ generator: inout SeededGenerator, _ due: inout Int64
  ) async throws {
    let source = LoopSource(kind: .recording, path: "")
    guard kind != .recording else {
      try await show(110, of: scene, camera, clock, &generator, &due, viewer: nil)
      let file = try #require(camera.recent.file(span: .seconds(200), segment: .seconds(2)))
      var maker = try LoopMaker.open(folder: folder, settings: camera.settings, isProcessed: true, logger: logger)
      #expect(
        try maker.append(try LoopRecording(file), mayReuse: true, limit: .seconds(200), progress: { _ in }))
      #expect(try maker.finish(source: source, made: .now).segments > 88)
      return
    }
    let stills = kind == .stills ? scene : try stills(100, noise: 12, seed: 2)
    var maker = try LoopMaker.open(folder: folder, settings: camera.settings, logger: logger)
    var end: Int64 = 0
    while end < 200_000 {
      try maker.append(try #require(stills.randomElement(using: &generator)))
      end += 1400 + Int64.random(in: 0...300, using: &generator)
      try maker.hold(until: .milliseconds(min(end, 200_000)))
    }
    #expect(try maker.finish(source: source, made: .now).segments == 100)
    try await show(20, of: scene, camera, clock, &generator, &due, viewer: nil)
  }

  /// Counts live and veiled segments in turn.
  private func count(_ kind: LoopKind, segments: Int) async throws -> [Director.Source: Counted] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "quietcam-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (clock, viewer) = (TurnedClock(), Viewer())
    let camera = Camera(settings: try settings(), clock: clock.stationClock)
    let pool = EncodePool(threads: 1)
    let logger = logger
    let scene = try stills(100, noise: 20, seed: 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: pool) {
        let loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: logger)
        await loop.run()
      }
      await clock.settle()
      var (generator, due) = (SeededGenerator(seed: 3), Int64(300))
      try await make(kind, in: folder, camera, clock, scene, &generator, &due)
      for _ in 0..<5 {
        for order in [Director.Order.veil, .unveil] {
          async let isDone = camera.carryOut(.order(order))
          try await show(1, of: scene, camera, clock, &generator, &due, viewer: nil)
          #expect(await isDone)
          viewer.skip(camera)
          try await show(segments / 5 + 6, of: scene, camera, clock, &generator, &due, viewer: viewer)
        }
      }
      group.cancelAll()
      try await group.waitForAll()
    }
    await pool.shutDown()
    return viewer.counted
  }

  /// How probable it is, for each thing that was counted, that live and veiled are so far apart by chance.
  private func probabilities(_ kind: LoopKind, segments: Int = 200) async throws -> [String: Double] {
    let counted = try await count(kind, segments: segments)
    let (live, veiled) = (try #require(counted[.live]), try #require(counted[.veiled]))
    #expect(Set(counted.keys) == [.live, .veiled])
    #expect(min(live.segments.count, veiled.segments.count) >= segments)
    return Dictionary(
      uniqueKeysWithValues: Counted.all.map { name, path in
        let (left, right) = (live[keyPath: path], veiled[keyPath: path])
        // A loop of 100 segments that turns twice says nothing new the second time.
        let found = compare(left, right, count: min(right.count, right.count * 100 / segments))
        return (name, found.probability)
      })
  }

  private func expectAlike(_ probabilities: [String: Double]) {
    for (name, probability) in probabilities.sorted(by: { $0.key < $1.key }) {
      print("\(name): so far apart by chance with a probability of \(probability)")
      #expect(probability > 1e-4, "\(name): so far apart by chance with a probability of \(probability)")
    }
  }

  @Test func twoHundredSegmentsOfALoopOfStillsAreLikeTwoHundredLiveOnes() async throws {
    expectAlike(try await probabilities(.stills))
  }

  @Test func twoHundredSegmentsOfARecordingAreLikeTwoHundredLiveOnes() async throws {
    expectAlike(try await probabilities(.recording))
  }

  @Test func theCountingTellsALoopOfAnotherScene() async throws {
    let probabilities = try await probabilities(.otherScene, segments: 60)
    #expect(try #require(probabilities["bytes of segments"]) < 1e-6)
    #expect(try #require(probabilities["bytes of parts"]) < 1e-6)
  }
}
