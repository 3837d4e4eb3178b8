import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// The operator's loop is read ahead on a thread of its own, and a disk that hangs stops no picture.
@Suite struct LoopReaderTests: LoopMaking {
  private func segment(_ index: Int, of reader: LoopReader) async throws -> LoopSegment? {
    for _ in 0..<1000 {
      switch reader.segment(index, generation: reader.newest.generation) {
      case .ready(let segment): return segment
      case .pending: try await Task.sleep(for: .milliseconds(2))
      case .failed: return nil
      }
    }
    return nil
  }

  private func reader(
    of folder: String, _ settings: CameraSettings, willRead: @escaping @Sendable () -> Void = {}
  )
    throws -> LoopReader
  {
    let parameterSets = try parameterSets(settings)
    return LoopReader(
      logger: .silent, stamp: { LoopFolder.stamp(in: folder) }, willRead: willRead,
      open: {
        Loop.open(folder: folder, settings: settings, parameterSets: parameterSets, logger: .silent)
      })
  }

  @Test func onlyWhatIsWantedIsReadAndKept() async throws {
    let settings = try settings()
    try await withFolder { folder in
      try make(in: folder, settings)
      let reader = try reader(of: folder, settings)
      reader.load()
      let loop = try #require(reader.newest.loop)
      reader.begin()
      guard case .pending = reader.segment(1, generation: reader.newest.generation) else {
        Issue.record("it was read although nobody wanted it")
        return
      }
      reader.want([1])
      #expect(try await segment(1, of: reader)?.pictures == loop.segment(1).pictures)
      reader.want([0])
      #expect(try await segment(0, of: reader)?.pictures == loop.segment(0).pictures)
      guard case .pending = reader.segment(1, generation: reader.newest.generation) else {
        Issue.record("it is kept although nobody wants it")
        return
      }
    }
  }

  @Test func anotherLoopTakesThePlaceOfTheOneBefore() async throws {
    let settings = try settings()
    try await withFolder { folder in
      let reader = try reader(of: folder, settings)
      reader.load()
      reader.begin()
      #expect(reader.newest.loop == nil)
      for _ in 0..<2 {
        let generation = reader.newest.generation
        try make(in: folder, settings)
        reader.look()
        for _ in 0..<1000 where reader.newest.generation == generation {
          try await Task.sleep(for: .milliseconds(2))
        }
        guard case .failed = reader.segment(0, generation: generation) else {
          Issue.record("a segment of the old loop was not refused")
          return
        }
        #expect(reader.newest.loop?.count == 2)
        reader.want([0])
        #expect(try await segment(0, of: reader) != nil)
      }
    }
  }

  /// Runs a camera's loop on one pool for all while `body` drives it.
  private func run(
    _ camera: Camera, folder: String?, on pool: EncodePool, reading: LoopReading,
    in group: inout ThrowingTaskGroup<Void, any Error>
  ) {
    group.addTask(executorPreference: pool) {
      let loop = try CameraLoop.open(
        camera: camera, mirror: nil, folder: folder, reading: reading, logger: .silent)
      await loop.run()
    }
  }

  @Test(.timeLimit(.minutes(2)), arguments: [CameraSettings.OffStyle.seamless, .cached])
  func aDiskThatHangsStopsNeitherTheCameraWhoseLoopItHasNorOthers(off: CameraSettings.OffStyle)
    async throws
  {
    var settings = try settings {
      $0.off = off
      $0.presence = .init(hold: .seconds(4), steady: .zero)
    }
    try await withFolder { folder in
      try make(in: folder, settings)
      let (disk, pool) = (FaultyDisk(), EncodePool(threads: 1))
      let clocks = [TurnedClock(), TurnedClock()]
      let camera = Camera(settings: settings, clock: clocks[0].stationClock)
      settings.presence.hold = nil
      let other = Camera(settings: settings, clock: clocks[1].stationClock)
      func slot() async throws -> (PartPosition, PartPosition) {
        for clock in clocks { await clock.advance(by: .seconds(1)) }
        return (
          try #require(camera.edge.snapshot).position, try #require(other.edge.snapshot).position
        )
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        run(camera, folder: folder, on: pool, reading: .ahead(willRead: disk.willRead), in: &group)
        await clocks[0].settle()
        run(other, folder: nil, on: pool, reading: .ahead(), in: &group)
        await clocks[1].settle()
        for _ in 0..<10 {
          _ = try camera.take(still(gray: 20))
          _ = try await slot()
        }
        #expect(camera.counters.source == .live)
        disk.become(.hanging)
        var before = try await slot()
        let first = before.1
        // The camera goes off meanwhile, and its loop would have been read several times.
        for _ in 0..<40 {
          _ = try other.take(still(gray: 200))
          let after = try await slot()
          #expect(after.0 > before.0 && after.1 >= before.1, "each slot is published at its time")
          before = after
        }
        // The other camera's slots follow its stills, so the last of them may be a moment later.
        let parts = settings.timeline.partsPerSegment
        let advanced = (before.1.sequence - first.sequence) * parts + before.1.part - first.part
        #expect((39...40).contains(advanced))
        #expect(camera.counters.source == .off && other.counters.source == .live)
        #expect(other.counters.shown >= 40)
        disk.become(.good)
        // The loop goes on once it can be read.
        let jpegs = try await loopPictures(folder, settings)
        var seen: Set<ByteBuffer> = []
        for _ in 0..<400 where seen.count < jpegs.count {
          _ = try await slot()
          if let jpeg = camera.edge.latest?.jpeg, jpegs.contains(jpeg) { seen.insert(jpeg) }
          try await Task.sleep(for: .milliseconds(2))
        }
        #expect(
          seen == jpegs, "\(seen.count) of \(jpegs.count) pictures of the loop are shown again")
        group.cancelAll()
        try await group.waitForAll()
      }
      await pool.shutDown()
    }
  }

  private func loopPictures(_ folder: String, _ settings: CameraSettings) async throws -> Set<
    ByteBuffer
  > {
    let loop = try #require(try open(folder, settings))
    return Set(try (0..<loop.count).flatMap { try loop.segment($0).changes.map(\.jpeg) })
  }

  @Test func underAVeilNoLivePictureIsShownThoughTheDiskHangs() async throws {
    let settings = try settings { $0.presence = .init(hold: nil, steady: .zero) }
    try await withFolder { folder in
      try make(in: folder, settings)
      let (disk, clock) = (FaultyDisk(), HandClock())
      let camera = Camera(settings: settings, clock: clock.stationClock)
      var loop = try CameraLoop.open(
        camera: camera, mirror: nil, folder: folder, reading: .ahead(willRead: disk.willRead),
        logger: .silent)
      disk.become(.hanging)
      func slot(_ gray: Int) throws {
        _ = try camera.take(still(gray: gray))
        clock.advance(by: .seconds(1))
        loop.turn()
      }
      for _ in 0..<9 { try slot(20) }
      #expect(camera.counters.source == .live)
      let recorded = try await loopPictures(folder, settings)
      var shownLive = try #require(camera.edge.latest).jpeg
      loop.carryOut(.order(.veil))
      var veiled = 0
      for number in 0..<16 {
        // Each still is another picture, so that one which the veil hides is told from those before it.
        try slot(100 + 8 * number)
        let latest = try #require(camera.edge.latest).jpeg
        guard camera.counters.source == .veiled else {
          shownLive = latest
          continue
        }
        veiled += 1
        #expect(latest == shownLive || recorded.contains(latest), "a live picture is shown under the veil")
      }
      #expect(veiled > 8)
      disk.become(.good)
    }
  }
}
