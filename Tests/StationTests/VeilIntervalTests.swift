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

/// From still to still, events tell only intervals that the camera has, also where a veil begins and ends and where the
/// loop comes round.
@Suite struct VeilIntervalTests: LoopMaking {
  /// When a camera sends its stills, in milliseconds.
  struct Sender: Sendable, CustomTestStringConvertible {
    let interval: Int64
    let jitter: Int64
    /// Whether each still comes by a timer, or so long after the one before.
    var hasTimer = true
    var segment: Int64 = 6
    var testDescription: String {
      "a still each \(interval) ms and up to \(jitter) more \(hasTimer ? "by a timer" : "after the last"), segments of \(segment) s"
    }
  }

  /// A camera, who watches it, and time.
  fileprivate final class Stage {
    let camera: Camera
    let clock: TurnedClock
    private let sender: Sender
    private let jpegs: [ByteBuffer]
    private var generator: SeededGenerator
    private var timer: Int64
    private var due: Int64
    private var sent = 0
    private var lastID: Int64 = 0
    /// Whether the camera sends.
    var sends = true
    /// What events told, with what was shown then.
    private(set) var events: [(source: Director.Source, time: Int64)] = []
    /// What each part showed.
    private(set) var sources: [Director.Source] = []
    /// The new pictures that were coded for parts, by their bytes.
    private(set) var pictures: [ByteBuffer] = []

    init(
      _ camera: Camera, _ clock: TurnedClock, _ sender: Sender, jpegs: [ByteBuffer], seed: UInt64, first: Int64
    ) {
      (timer, due) = (first, first)
      (self.camera, self.clock, self.sender, self.jpegs) = (camera, clock, sender, jpegs)
      generator = SeededGenerator(seed: seed)
    }

    func play(_ slots: Int) async throws {
      for _ in 0..<slots {
        var spent: Int64 = 0
        while due < 1000 {
          await clock.advance(by: .milliseconds(due - spent))
          spent = due
          if sends { _ = try camera.take(jpegs[sent % jpegs.count]) }
          sent += 1
          let jitter = Int64.random(in: 0...sender.jitter, using: &generator)
          timer = (sender.hasTimer ? timer : due) + sender.interval
          due = timer + jitter
        }
        await clock.advance(by: .milliseconds(1000 - spent))
        (timer, due) = (timer - 1000, due - 1000)
        try await listen()
      }
    }

    private func listen() async throws {
      sources.append(camera.counters.source)
      let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
      let part = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
      let media = try FragmentReader.parts(in: try #require(camera.edge.media(named: part.uri)))
      // A repeat has 19 bytes.
      pictures += media.flatMap(\.pictures).filter { !$0.isIDR && $0.bytes.readableBytes > 20 }.map(\.bytes)
      guard camera.events.newestID > lastID else { return }
      let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
      for event in try #require(await camera.events.events(after: lastID, deadline: .now + .seconds(5))) {
        let fields = try #require(try JSONSerialization.jsonObject(with: Data(event.json.utf8)) as? [String: Any])
        let time = try format.parse(try #require(fields["time"] as? String))
        events.append((camera.counters.source, Int64((time.timeIntervalSince1970 * 1000).rounded())))
      }
      lastID = camera.events.newestID
    }

    /// Lets all later stills come so many milliseconds later, as after a restart of the camera.
    func moveTimer(by milliseconds: Int64) {
      timer += milliseconds
      due += milliseconds
    }

    func order(_ order: Director.Order, then slots: Int) async throws {
      let camera = camera
      async let isDone = camera.carryOut(.order(order))
      try await play(slots)
      #expect(await isDone)
    }

    /// The intervals from one event to the next, with what was shown at its end.
    func intervals(from index: Int = 0) -> [(source: Director.Source, length: Int64)] {
      zip(events.dropFirst(index), events.dropFirst(index + 1)).map { ($1.source, $1.time - $0.time) }
    }
  }

  private func withStage(
    _ sender: Sender, seed: UInt64, first: Int64 = 300, change: Int = 1, hold: Ticks? = nil, loop slots: Int = 420,
    _ body: (Stage) async throws -> Void
  ) async throws {
    let size = PictureSize(width: 64, height: 48)
    let settings = try CameraSettings.sample(
      size: size, segment: .seconds(sender.segment), hold: hold, steady: .zero)
    // None looks like another that is not next to it.
    let jpegs = try (0..<600).map {
      try SampleStill.gray(20 + $0 * change % 200, size: size, isStriped: true, quality: 90 - $0 / 200 * 25)
    }
    try await withFolder { folder in
      let clock = TurnedClock()
      let camera = Camera(settings: settings, clock: clock.stationClock)
      let pool = EncodePool(threads: 1)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: pool) {
          let loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: .silent)
          await loop.run()
        }
        await clock.settle()
        let stage = Stage(camera, clock, sender, jpegs: jpegs, seed: seed, first: first)
        try await stage.play(slots)
        let length = Ticks.seconds(Int64(slots) * 7 / 8)
        let file = try #require(camera.recent.file(span: length, segment: settings.timeline.segment))
        var maker = try LoopMaker.open(folder: folder, settings: settings, isProcessed: true, logger: .silent)
        #expect(try maker.append(try LoopRecording(file), mayReuse: true, limit: length, progress: { _ in }))
        _ = try maker.finish(source: LoopSource(kind: .recording), made: .now)
        try await stage.play(20)
        try await body(stage)
        group.cancelAll()
        try await group.waitForAll()
      }
      await pool.shutDown()
    }
  }

  @Test(
    arguments: [
      Sender(interval: 1400, jitter: 300), Sender(interval: 1400, jitter: 300, hasTimer: false),
      Sender(interval: 2050, jitter: 100, segment: 12),
      Sender(interval: 2050, jitter: 100, hasTimer: false, segment: 12),
      Sender(interval: 990, jitter: 20), Sender(interval: 4600, jitter: 800, hasTimer: false),
    ])
  func nothingIsToldThatTheCameraNeverDoes(_ sender: Sender) async throws {
    try await withStage(sender, seed: 11) { stage in
      let begin = stage.events.count - 1
      for round in 0..<8 {
        try await stage.order(.veil, then: 66 + round)
        try await stage.order(.unveil, then: 66 - round)
      }
      // What this camera can do; times are told in milliseconds.
      let range = sender.interval - (sender.hasTimer ? sender.jitter : 0) - 2...sender.interval + sender.jitter + 2
      let told = stage.intervals(from: begin)
      let odd = told.filter { !(range ~= $0.length) }
      let veiled = told.count { $0.source == .veiled }
      print(
        "\(sender.testDescription): \(told.count) intervals, \(veiled) under a veil, \(odd.count) odd: \(odd.map { "\($0.source) \($0.length)" })"
      )
      #expect(Set(stage.sources.suffix(700)) == [.live, .veiled])
      #expect(veiled * 3 > told.count)
      // Where nothing fits for four segments, the veil ends all the same.
      #expect(odd.count * 100 <= told.count)
    }
  }

  @Test(arguments: [21, 22] as [UInt64])
  func aCameraThatStopsUnderAVeilGoesOffAsALiveOneDoes(seed: UInt64) async throws {
    let sender = Sender(interval: 1400, jitter: 300)
    try await withStage(sender, seed: seed, hold: .seconds(20)) { stage in
      for isVeiled in [false, true, true] {
        if isVeiled { try await stage.order(.veil, then: 25 + Int(seed) % 6) }
        #expect(stage.sources.last == (isVeiled ? .veiled : .live))
        stage.sends = false
        let begin = stage.sources.count
        try await stage.play(30)
        let parts = stage.sources.dropFirst(begin)
        let shown = parts.count { $0.looksLive }
        #expect(parts.contains(.off) && parts.first?.looksLive == true)
        let last = try #require(stage.events.last { $0.source.looksLive }).time
        let wall = stage.clock.stationClock.wall().milliseconds
        // The picture stands for the time that it is held, and until the next part.
        let held = wall - last - Int64(parts.count { $0 == .off }) * 1000
        print("veiled \(isVeiled): \(shown) parts, the last picture stood for \(held) ms")
        #expect(held >= 19_000 && held <= 21_000)
        stage.sends = true
        if isVeiled { try await stage.order(.unveil, then: 1) }
        try await stage.play(40)
        #expect(stage.sources.last == .live)
      }
    }
  }

  @Test func afterOffTheLoopIsEnteredElsewhere() async throws {
    let sender = Sender(interval: 1400, jitter: 300)
    try await withStage(sender, seed: 31, hold: .seconds(8)) { stage in
      for _ in 0..<3 {
        stage.sends = false
        var off: Set<String> = []
        for _ in 0..<40 {
          try await stage.play(1)
          if stage.camera.counters.source == .off { off.insert(stage.picture) }
        }
        #expect(off.count > 4)
        stage.sends = true
        try await stage.order(.veil, then: 8)
        for number in 0..<30 {
          try await stage.play(1)
          if stage.camera.counters.source == .veiled {
            #expect(!off.contains(stage.picture), "slot \(number): it was just shown as the loop")
          }
        }
        // The loop goes on until the camera's stills fit to it, and the operator is told why.
        #expect(!stage.camera.counters.isVeilEnding)
        try await stage.order(.unveil, then: 2)
        for _ in 0..<20 {
          // A slot that was published before the order came tells nothing of it.
          try await stage.play(1)
          #expect(stage.camera.counters.isVeilEnding == (stage.camera.counters.source == .veiled))
        }
      }
    }
  }

  /// Pictures that cover stills come from JPEGs, are encoded once more, and have more bytes than the camera's own: they
  /// must give way to the loop's encoded segments, also where no segment of it begins with a new picture.
  @Test(arguments: [300, 1300] as [Int64])
  func theLoopsOwnPicturesPlayWhereverInASegmentStillsCome(first: Int64) async throws {
    // Each still differs so much from the one before that it is coded.
    try await withStage(Sender(interval: 2000, jitter: 100), seed: 7, first: first, change: 37) { stage in
      let recorded = Set(stage.pictures)
      try await stage.order(.veil, then: 24)
      let begin = stage.pictures.count
      try await stage.play(90)
      let shown = stage.pictures[begin...]
      #expect(shown.count >= 20)
      // Now and then none of them fits, and a segment covers stills again.
      #expect(shown.filter { !recorded.contains($0) }.count * 4 <= shown.count)
    }
  }

  /// Whoever knows at which place of a second a camera's timer has its stills must not see another one under a veil.
  @Test func stillsComeAtTheCamerasPlaceThoughItIsAnotherThanWhenTheLoopWasRecorded() async throws {
    try await withStage(Sender(interval: 2000, jitter: 100), seed: 5) { stage in
      stage.moveTimer(by: 150)
      try await stage.play(150)
      func place(from index: Int) -> Double {
        let events = stage.events[index...].map { Double(($0.time - stage.events[0].time) % 1000) }
        return events.reduce(0, +) / Double(events.count)
      }
      let live = place(from: stage.events.count - 40)
      for _ in 0..<4 {
        try await stage.order(.veil, then: 12)
        let begin = stage.events.count
        try await stage.play(70)
        #expect(stage.camera.counters.source == .veiled)
        let veiled = place(from: begin)
        #expect(abs(veiled - live) < 30, "\(veiled) and not \(live) ms after a second")
        try await stage.order(.unveil, then: 120)
        #expect(stage.camera.counters.source == .live)
      }
    }
  }
}

extension VeilIntervalTests.Stage {
  /// The latest picture.
  fileprivate var picture: String { camera.edge.latest?.jpeg.fingerprint ?? "" }
}
