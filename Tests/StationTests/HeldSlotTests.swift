import Foundation
import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Where a veil can begin, everything of a slot becomes public at one fixed time after its beginning.
@Suite struct HeldSlotTests: LoopMaking {
  private static let offset: Int64 = 30

  /// When something became public, in milliseconds since its slot began.
  private struct Moments {
    var parts: [Int64] = []
    var pictures: [Int64] = []
    var events: [Int64] = []
    var plain: [Int64] = []
    var all: Set<Int64> { Set(parts + pictures + events + plain) }
  }

  /// Looks at everything public, millisecond by millisecond where something can be published.
  private struct Watch {
    let camera: Camera
    let clock: TurnedClock
    private var position: PartPosition?
    private var etag: String?
    private var event: Int64 = 0
    private var plain: String?
    private(set) var moments: [Director.Source: Moments] = [:]

    init(_ camera: Camera, _ clock: TurnedClock) {
      (self.camera, self.clock) = (camera, clock)
      look(nil)
    }

    private mutating func look(_ moment: Int64?) {
      let now = (
        camera.edge.snapshot?.position, camera.edge.latest?.etag, camera.events.newestID, camera.edge.plain?.etag
      )
      if let moment {
        let source = camera.counters.source
        if now.0 != position { moments[source, default: Moments()].parts.append(moment) }
        if now.1 != etag { moments[source, default: Moments()].pictures.append(moment) }
        if now.2 != event { moments[source, default: Moments()].events.append(moment) }
        if now.3 != plain { moments[source, default: Moments()].plain.append(moment) }
      }
      (position, etag, event, plain) = now
    }

    /// Lets a slot pass that begins now, and ends with the beginning of the next.
    mutating func slot(_ still: ByteBuffer?) async throws {
      var moment: Int64 = 0
      for step in [1, 9, 10, 9, 1, 1, 9, 60, 300, 100, 499, 1] as [Int64] {
        if moment == 40 { await HeldSlotTests.ask(camera) }
        if moment == 100, let still { _ = try camera.take(still) }
        await clock.advance(by: .milliseconds(step))
        moment += step
        look(moment == 1000 ? 0 : moment)
      }
    }
  }

  /// Asks for the playlist without parts, so that it is made.
  private static func ask(_ camera: Camera) async {
    let task = Task { await camera.plainPlaylist(deadline: .now, isWanted: { false }) }
    task.cancel()
    _ = await task.value
  }

  private func withLoop(
    folder: String, change: (inout CameraSettings) -> Void = { _ in },
    _ body: (Camera, TurnedClock) async throws -> Void
  ) async throws {
    let clock = TurnedClock()
    let settings = try settings { settings in
      settings.presence = CameraPresence.Settings(hold: nil, steady: .zero)
      change(&settings)
    }
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let (pool, publishing) = (EncodePool(threads: 1), EncodePool(threads: 1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: pool) {
        let loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, holds: true, logger: .silent)
        await loop.run(publishing: publishing)
      }
      await clock.settle()
      try await body(camera, clock)
      group.cancelAll()
      try await group.waitForAll()
    }
    await pool.shutDown()
    await publishing.shutDown()
  }

  @Test func newPicturesAndRepeatsLiveAndVeiledLeaveAtTheSameTime() async throws {
    try await withFolder { folder in
      try make(in: folder, try settings())
      try await withLoop(folder: folder) { camera, clock in
        for _ in 0..<8 {
          _ = try camera.take(try still(gray: 60))
          await clock.advance(by: .seconds(1))
        }
        // Whoever asks first has the playlist made at once, whatever the time is.
        await Self.ask(camera)
        await clock.advance(by: .seconds(1))
        // A still in most slots, none in some.
        var watch = Watch(camera, clock)
        for round in 0..<4 {
          for number in 0..<16 {
            if number == 3 {
              async let isDone = camera.carryOut(.order(round % 2 == 0 ? .veil : .unveil))
              try await watch.slot(try still(gray: 80 + number))
              #expect(await isDone)
            } else {
              try await watch.slot(number % 3 == 2 ? nil : try still(gray: 80 + number))
            }
          }
          // A veil waits for up to 90 s until the camera's stills fit to the loop.
          var waited = 0
          while round % 2 == 1, waited < 100, camera.counters.source != .live {
            try await watch.slot(waited % 3 == 2 ? nil : try still(gray: 100 + waited))
            waited += 1
          }
        }
        let (live, veiled) = (try #require(watch.moments[.live]), try #require(watch.moments[.veiled]))
        #expect(live.all == [Self.offset] && veiled.all == [Self.offset], "\(live) \(veiled)")
        for moments in [live, veiled] {
          // When a veil ends hangs on what was drawn at random, so each has some of all, but not always as many.
          let counts = [moments.parts.count, moments.pictures.count, moments.events.count, moments.plain.count]
          #expect(zip(counts, [12, 5, 5, 3]).allSatisfy { $0 >= $1 }, "\(counts)")
          #expect(moments.parts.count > moments.pictures.count, "some slots have no new picture")
        }
        #expect(camera.counters.publishOffset == .milliseconds(Self.offset) && camera.counters.lateParts == 0)
      }
    }
  }

  @Test func aCameraWithoutALoopPublishesAtOnce() async throws {
    try await withFolder { folder in
      try await withLoop(folder: folder) { camera, clock in
        await Self.ask(camera)
        await clock.advance(by: .seconds(1))
        var watch = Watch(camera, clock)
        // Stills that came regularly would move the slots.
        for number in 0..<8 { try await watch.slot(number == 2 || number == 5 ? try still(gray: 90) : nil) }
        #expect(watch.moments.values.reduce(into: Set<Int64>()) { $0.formUnion($1.all) } == [0])
        #expect(camera.counters.publishOffset == nil)
      }
    }
  }

  @Test func anOrderWaitsForThePartThatIsHeldAndAWaveDoesNot() async throws {
    try await withFolder { folder in
      try make(in: folder, try settings())
      try await withLoop(folder: folder) { camera, clock in
        for _ in 0..<8 {
          _ = try camera.take(try still(gray: 60))
          await clock.advance(by: .seconds(1))
        }
        let before = try #require(camera.edge.snapshot)
        await clock.advance(by: .milliseconds(10))
        let held = try #require(camera.edge.snapshot).hinted
        async let isDone = camera.carryOut(.order(.pause))
        let event = camera.events.newestID
        _ = camera.wave()
        #expect(camera.events.newestID > event)
        await clock.advance(by: .milliseconds(10))
        #expect(camera.edge.snapshot?.position == before.position, "it is held")
        await clock.advance(by: .milliseconds(10))
        #expect(await isDone)
        #expect(camera.edge.snapshot?.position == held && camera.counters.source == .live)
        await clock.advance(by: .seconds(1))
        #expect(camera.counters.source == .paused)
      }
    }
  }

  @Test func aWithdrawalTakesThePartThatIsHeld() async throws {
    try await withFolder { folder in
      try make(in: folder, try settings())
      try await withLoop(folder: folder) { camera, clock in
        for _ in 0..<8 {
          _ = try camera.take(try still(gray: 60))
          await clock.advance(by: .seconds(1))
        }
        await clock.advance(by: .milliseconds(100))
        _ = try camera.take(try still(gray: 20))
        await clock.advance(by: .milliseconds(910))
        let (hinted, event) = (try #require(camera.edge.snapshot).hintedName, camera.events.newestID)
        async let isDone = camera.carryOut(.withdraw)
        #expect(await isDone)
        let latest = try #require(camera.edge.latest)
        for _ in 0..<30 {
          await clock.advance(by: .milliseconds(100))
          #expect(camera.edge.media(named: hinted) == nil)
        }
        #expect(camera.counters.source == .paused && camera.events.newestID >= event)
        let frame = try StillDecoder().decode(latest.jpeg, header: try JPEGHeader(latest.jpeg, maxPixels: 1 << 20))
        let brightest = frame.withPlane(0) { plane in (0..<plane.height).flatMap { plane.row($0) }.max() }
        #expect(try #require(brightest) > 100, "the still that was held is not the latest picture")
      }
    }
  }

  @Test func aPartThatIsLateIsPublishedWhenItIsReady() throws {
    let clock = HandClock()
    let camera = Camera(
      settings: try settings { $0.presence = CameraPresence.Settings(hold: nil, steady: .zero) },
      clock: clock.stationClock)
    try withFolder { folder in
      try make(in: folder, try settings())
      var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, holds: true, logger: .silent)
      loop.turn()
      clock.advance(by: .milliseconds(Self.offset))
      loop.turn()
      let first = try #require(camera.edge.snapshot).position
      // The threads were busy for so long that the part is due already.
      clock.advance(by: .milliseconds(1000 - Self.offset + 200))
      loop.turn()
      #expect(try #require(camera.edge.snapshot).position > first)
      #expect(camera.counters.lateParts == 1 && loop.heldUntil == nil)
      clock.advance(by: .milliseconds(800))
      loop.turn()
      #expect(loop.heldUntil == clock.now + .milliseconds(Self.offset))
    }
  }
}
