import Foundation
import Ingest
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Cameras come, go and change while the others go on.
@Suite struct StationChangeTests {
  private func settings(_ name: String, _ change: (inout CameraSettings) -> Void = { _ in }) throws -> CameraSettings {
    let sample = try CameraSettings.sample(
      size: PictureSize(width: 96, height: 64), rate: 10, part: .milliseconds(200), segment: .seconds(1))
    var settings = CameraSettings(name: try #require(CameraName(name)), timeline: sample.timeline)
    (settings.picture, settings.encoder, settings.presence) = (sample.picture, sample.encoder, sample.presence)
    change(&settings)
    return settings
  }

  /// Runs a station while `body` changes it.
  private func station(
    _ cameras: [CameraSettings], store: Station.Store = .memory, _ body: (Station) async throws -> Void
  ) async throws {
    let station = Station(
      cameras: cameras, store: store, clock: .system(), pool: EncodePool(threads: 2), decoding: EncodePool(threads: 1),
      publishing: EncodePool(threads: 1),
      logger: .silent)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await station.run() }
      for camera in station.cameras { _ = try await shown(camera) }
      try await body(station)
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private struct NotShown: Error {}

  private func shown(_ camera: Camera, _ position: PartPosition = PartPosition(sequence: 0, part: 0)) async throws
    -> PlaylistSnapshot
  {
    guard case .published(let snapshot) = await camera.edge.wait(for: position, deadline: .now + .seconds(30)) else {
      throw NotShown()
    }
    return snapshot
  }

  private func next(_ camera: Camera) async throws -> PlaylistSnapshot {
    let now = try #require(camera.edge.furthest).position
    return try await shown(camera, PartPosition(sequence: now.sequence + 1, part: 0))
  }

  private func playlist(_ snapshot: PlaylistSnapshot) throws -> MediaPlaylist {
    try MediaPlaylist.parse(snapshot.media.plain)
  }

  @Test func anEncoderThatChangesGoesOnBehindADiscontinuityAndNobodyElseNotices() async throws {
    try await station([try settings("a"), try settings("b")]) { station in
      let (a, b) = (station.cameras[0], station.cameras[1])
      let (before, other) = (try await next(a), try await next(b))
      _ = try a.take(try SampleStill.gray(200))
      // Who waits for the next part gets it, from the loop that ends or from the one that begins.
      let position = PartPosition(sequence: before.position.sequence + 2, part: 0)
      async let waited = shown(a, position)
      let failures = await station.change([
        try settings("a") { $0.picture.size = PictureSize(width: 128, height: 96) }
      ])
      #expect(failures.isEmpty)
      #expect(station.cameras[0] === a)
      #expect(a.settings.picture.size.width == 128)
      #expect(try await waited.position >= position)
      // The first segment after the change may have begun only now: it is listed once it is complete.
      _ = try await next(a)
      let now = try await next(a)
      let (old, new) = (try playlist(before), try playlist(now))
      #expect(now.position > before.position)
      #expect(new.mediaSequence >= old.mediaSequence)
      let seams = new.segments.count { $0.discontinuity } - old.segments.count { $0.discontinuity }
      #expect(seams + new.discontinuitySequence - old.discontinuitySequence == 1)
      for segment in new.segments { #expect(a.edge.media(named: segment.uri) != nil, "\(segment.uri)") }
      #expect(a.counters.taken == 1)
      // The other camera's stream is one piece.
      let later = try playlist(try await next(b))
      #expect(station.cameras[1] === b)
      #expect(later.discontinuitySequence == (try playlist(other)).discontinuitySequence)
      #expect(!later.segments.dropFirst().contains { $0.discontinuity })
    }
  }

  @Test func settingsThatNeedNoEncoderLeaveTheStreamInOnePiece() async throws {
    try await station([try settings("a")]) { station in
      let a = station.cameras[0]
      let before = try playlist(try await next(a))
      // The hold belongs to the loop, and the title to the pages.
      await station.change([try settings("a") { $0.presence.hold = .seconds(7) }])
      await station.change([try settings("a") { ($0.presence.hold, $0.title) = (.seconds(7), "Desk") }])
      #expect(a.settings.title == "Desk")
      let now = try playlist(try await next(a))
      #expect(now.discontinuitySequence == before.discontinuitySequence)
      #expect(now.segments.count { $0.discontinuity } <= before.segments.count { $0.discontinuity })
    }
  }

  @Test func aTitleTakesNoNewLoop() throws {
    let before = try settings("a")
    #expect(try !settings("a") { $0.title = "Desk" }.needsNewLoop(after: before))
    #expect(try !settings("a") { $0.interval = .seconds(9) }.needsNewLoop(after: before))
    #expect(try !settings("a") { $0.maxStillBytes = 5000 }.needsNewLoop(after: before))
    #expect(try settings("a") { $0.picture.isGray = true }.needsNewLoop(after: before))
    #expect(try settings("a") { $0.keepPhotos = 3 }.needsNewLoop(after: before))
    #expect(try settings("a") { $0.delay = .seconds(3) }.needsNewLoop(after: before))
  }

  @Test func camerasComeAndGoAndComeAgainWithHigherNumbers() async throws {
    try await withFolder { folder in
      try await station([try settings("a")], store: .folder(folder)) { station in
        try await station.add([try settings("b")])
        #expect(station.cameras.map(\.name.text) == ["a", "b"])
        let b = station.cameras[1]
        let before = try await next(b)
        async let waited = b.edge.wait(
          for: PartPosition(sequence: before.position.sequence + 9, part: 0), deadline: .now + .seconds(30))
        try await Task.sleep(for: .milliseconds(50))
        await station.remove([b.name])
        guard case .ended = await waited else {
          Issue.record("a viewer of a camera that is gone goes on waiting")
          return
        }
        #expect(await !b.carryOut(.order(.pause)))
        #expect(station.cameras.map(\.name.text) == ["a"])
        try await station.add([try settings("b")])
        let again = station.cameras[1]
        #expect(again !== b)
        #expect(try await shown(again).position > before.position)
        station.arrange([again.name, station.cameras[0].name])
        #expect(station.cameras.map(\.name.text) == ["b", "a"])
      }
    }
  }

  @Test func aCameraThatCannotBeginAddsNothing() async throws {
    try await withFolder { folder in
      try await station([try settings("a")], store: .folder(folder)) { station in
        // A file stands where the camera's folder has to be.
        try Data().write(to: URL(fileURLWithPath: folder + "/c"))
        let error = await #expect(throws: StationError.self) {
          try await station.add([try settings("b"), try settings("c")])
        }
        #expect(error?.description.contains("\(folder)/c") == true)
        #expect(station.cameras.map(\.name.text) == ["a"])
        _ = try await next(station.cameras[0])
      }
    }
  }

  @Test func aMaskHoldsForThePictureThatStands() async throws {
    try await station([try settings("a")]) { station in
      let a = station.cameras[0]
      _ = try a.take(try SampleStill.gray(255))
      let etag = try #require(a.edge.latest).etag
      while a.edge.latest?.etag == etag { try await Task.sleep(for: .milliseconds(20)) }
      let photos = a.photos
      await station.change([try settings("a") { $0.picture.isGray = true }])
      // Nothing is shown that was made without it: the slate stands.
      let jpeg = try #require(a.edge.latest).jpeg
      let frame = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 20))
      let brightest = frame.withPlane(0) { plane in (0..<plane.height).map { plane.row($0)[0] }.max() ?? 255 }
      #expect(brightest < 120)
      #expect(a.photos !== photos)
    }
  }

  @Test func commandsOutliveAChange() async throws {
    try await station([try settings("a")]) { station in
      let a = station.cameras[0]
      #expect(await a.carryOut(.order(.pause)))
      await station.change([try settings("a") { $0.encoder.crf = 30 }])
      _ = try await next(a)
      #expect(a.counters.source == .paused)
      async let done = station.change([try settings("a") { $0.encoder.crf = 31 }])
      #expect(await a.carryOut(.order(.resume)))
      _ = try await done
    }
  }
}

/// A loop that goes on with a stream behind a discontinuity, wherever in a segment the one before has ended.
@Suite struct LoopChangeTests {
  /// The count of discontinuities of each segment that a player knows, the open or hinted one included.
  private func counts(_ playlist: MediaPlaylist) -> [Int: Int] {
    var (counts, count) = ([Int: Int](), playlist.discontinuitySequence)
    for (index, segment) in playlist.segments.enumerated() {
      if segment.discontinuity { count += 1 }
      counts[playlist.mediaSequence + index] = count
    }
    if playlist.trailingDiscontinuity { count += 1 }
    counts[playlist.mediaSequence + playlist.segments.count] = count
    return counts
  }

  /// hls.js gives up if a number that it knows comes after another count of discontinuities.
  @Test(arguments: 0..<5) func noNumberComesAfterAnotherCountOfDiscontinuities(parts: Int) async throws {
    let clock = TurnedClock()
    var settings = try CameraSettings.sample()
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let pool = EncodePool(threads: 1)
    let left = try await withThrowingTaskGroup(of: LeftStream.self) { group in
      group.addTask(executorPreference: pool) {
        try await CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent).run { true }
      }
      await clock.settle()
      for _ in 0..<parts { await clock.advance(by: .seconds(1)) }
      group.cancelAll()
      return try #require(try await group.next())
    }
    await pool.shutDown()
    let before = counts(try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain))
    settings.picture.size = PictureSize(width: 128, height: 96)
    camera.change(to: settings)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, goingOnFrom: left, logger: .silent)
    loop.turn()
    let after = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    #expect(after.segments.contains { $0.discontinuity } || after.trailingDiscontinuity)
    for (number, count) in counts(after) { #expect(before[number] ?? count == count, "segment \(number)") }
  }
}
