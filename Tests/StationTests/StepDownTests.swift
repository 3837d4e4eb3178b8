import Ingest
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// What viewers of one camera get while the machine steps down, by hand: no part is left out, and the stream stays one.
@Suite struct StepDownTests: LoopMaking {
  private let clock = HandClock()
  private let load = LoadWatch()

  /// Keeps the threads so busy until the level is reached.
  private func step(to level: LoadLevel) {
    var (time, worked) = (load.report.busyTime, load.report.busyTime)
    for _ in 0..<1000 where load.level != level {
      let isDown = load.level < level
      time = time + .seconds(isDown ? 1 : 1000)
      worked = worked + (isDown ? .seconds(1) : .zero)
      // A camera that needs all of the thread, or none of it.
      let camera = CameraWork(
        settings: EncoderSettings(), level: load.level, part: .seconds(1), slot: isDown ? .seconds(1) : .zero)
      load.look(
        at: clock.now + time, worked: worked, ran: worked, threads: 1, cameras: [camera], change: { _, _, _ in })
    }
  }

  private func camera(_ change: (inout CameraSettings) -> Void = { _ in }) throws -> Camera {
    var settings = try CameraSettings.sample(segment: .seconds(4), hold: .seconds(60), steady: .zero)
    settings.encoder = EncoderSettings(preset: .slow)
    change(&settings)
    return Camera(settings: settings, clock: clock.stationClock, load: load)
  }

  /// Lets the length of a slot pass. Slots follow the camera, so nobody knows to the millisecond when one begins.
  ///
  /// - Parameter late: how long the loop does nothing after the length of a slot.
  private func slot(
    _ camera: Camera, _ loop: inout CameraLoop, gray: Int?, late: Ticks = .zero, length: Ticks = .seconds(1)
  ) throws {
    if let gray { _ = try camera.take(try SampleStill.gray(gray, isStriped: true)) }
    if late > .zero {
      clock.advance(by: length + late)
      return loop.turn()
    }
    for _ in 0..<length.milliseconds / 10 {
      clock.advance(by: .milliseconds(10))
      loop.turn()
    }
  }

  /// The media of all segments that are listed whole, as a player gets it.
  private func segments(_ camera: Camera) throws -> [[CodedPicture]] {
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    return try playlist.segments.map { segment in
      let bytes = try #require(camera.edge.media(named: segment.uri))
      return try FragmentReader.parts(in: bytes).flatMap(\.pictures)
    }
  }

  @Test func aStepTakesEffectWithTheNextSegmentAndNothingElseChanges() throws {
    let camera = try camera()
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    for number in 0..<6 { try slot(camera, &loop, gray: 100 + number * 5) }
    #expect(camera.counters.codedLevel == .full)
    let before = camera.edge.snapshot?.position
    step(to: LoadLevel.all[5])
    for number in 0..<40 { try slot(camera, &loop, gray: 90 + number * 3) }
    #expect(camera.counters.codedLevel == LoadLevel.all[5])
    step(to: .full)
    for number in 0..<12 { try slot(camera, &loop, gray: 60 + number * 3) }
    #expect(camera.counters.codedLevel == .full)
    #expect((56...58).contains(camera.counters.shown))
    let after = try #require(camera.edge.snapshot?.position)
    #expect(before.map { $0 < after } == true)
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    #expect(playlist.segments.allSatisfy { !$0.discontinuity })
    // All of it decodes as one stream, with one set of parameters.
    var decoder = try StreamDecoder()
    for segment in try segments(camera) {
      #expect(segment.first?.isIDR == true && segment.count { $0.isIDR } == 1)
      for picture in segment { _ = try decoder.decode(picture) }
    }
  }

  @Test func theLowestLevelShowsAPictureInFourParts() throws {
    let camera = try camera { $0.timeline = .standard }
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    step(to: .lowest)
    func slots(_ count: Int) throws {
      for number in 0..<count { try slot(camera, &loop, gray: 40 + number * 3 % 180, length: .seconds(2)) }
    }
    try slots(16)
    let before = camera.counters
    try slots(60)
    let after = camera.counters
    #expect((59...61).contains(after.parts - before.parts))
    // The first picture of each segment shows the newest still too.
    #expect((14...20).contains(after.shown - before.shown))
    #expect(after.shown + after.displaced <= after.taken)
    #expect(after.displaced > 0)
  }

  @Test func lateWorkPutsStillsOffAndTheNewestIsShownLater() throws {
    let camera = try camera { $0.timeline = .standard }
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    func slot(late: Bool, gray: Int?) throws {
      // What the loop has slept is not slept again. Each time ends some hundredths of a second after a slot has begun.
      try self.slot(
        camera, &loop, gray: gray, late: late ? .milliseconds(300) : .zero,
        length: late ? .seconds(2) : .milliseconds(1710))
    }
    for number in 0..<3 { try self.slot(camera, &loop, gray: 100 + number, length: .seconds(2)) }
    try self.slot(camera, &loop, gray: nil, length: .milliseconds(60))
    let before = camera.counters
    try slot(late: true, gray: 150)
    #expect(camera.counters.shown == before.shown && camera.counters.parts == before.parts + 1)
    #expect(load.report.putOff == 1)
    try slot(late: false, gray: nil)
    #expect(camera.counters.shown == before.shown + 1 && camera.counters.displaced == before.displaced)
    try slot(late: true, gray: 160)
    #expect(camera.counters.shown == before.shown + 1)
    try slot(late: false, gray: 170)
    #expect(camera.counters.shown == before.shown + 2 && camera.counters.displaced == before.displaced + 1)
  }

  @Test func withoutSteppingDownNothingIsPutOff() throws {
    let camera = Camera(
      settings: try CameraSettings.sample(hold: .seconds(60), steady: .zero), clock: clock.stationClock,
      load: LoadWatch(isOn: false))
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    for number in 0..<20 { try slot(camera, &loop, gray: 60 + number, late: .milliseconds(Int64(number % 2 * 500))) }
    #expect(camera.load.report.putOff == 0 && camera.counters.shown + camera.counters.displaced >= 19)
    #expect(camera.counters.shown >= 15)
  }

  /// While live pictures are encoded with less work than the loop was, no segment of the loop plays: its pictures are
  /// encoded in the same way.
  @Test func aVeilIsSteppedDownToo() throws {
    try withFolder { folder in
      let camera = try camera { $0.photoSize = nil }
      try make(in: folder, camera.settings)
      var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: .silent)
      for number in 0..<16 { try slot(camera, &loop, gray: 60 + number * 2) }
      step(to: LoadLevel.all[3])
      loop.carryOut(.order(.veil))
      for number in 0..<24 { try slot(camera, &loop, gray: 60 + number * 2) }
      #expect(camera.counters.source == .veiled)
      // Something is encoded all the time, at the level.
      #expect(camera.counters.codedLevel == LoadLevel.all[3])
      let before = camera.times.encode.counted.count
      for number in 0..<8 { try slot(camera, &loop, gray: 60 + number * 2) }
      #expect(camera.times.encode.counted.count == before + 8)
      #expect(camera.counters.parts > 40)
    }
  }

  /// Whatever the levels, the delays, the stills and the orders are, the playlists keep to the rules of HLS.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func theStreamKeepsToTheRules(seed: UInt64) throws {
    try withFolder { folder in
      var random = SeededGenerator(seed: seed)
      let camera = try camera {
        $0.encoder = EncoderSettings(preset: .medium, references: 3)
        $0.off = seed % 2 == 0 ? .seamless : .cached
        $0.presence.hold = .seconds(5)
      }
      if seed % 3 != 0 { try make(in: folder, camera.settings) }
      let place = SlotPlace(number: Int(seed) * 5)
      var loop = try CameraLoop.open(
        camera: camera, mirror: nil, folder: folder, place: place, logger: .silent)
      var judge = StreamJudge(step: camera.settings.timeline.step)
      judge.look(at: camera.edge, now: clock.now)
      var isOn = true
      for _ in 0..<120 where judge.mistakes.isEmpty {
        if Int.random(in: 0..<20, using: &random) == 0 { step(to: LoadLevel.all.randomElement(using: &random)!) }
        if Int.random(in: 0..<25, using: &random) == 0 { isOn.toggle() }
        if Int.random(in: 0..<25, using: &random) == 0 {
          let orders: [Director.Order] = [.pause, .resume, .veil, .unveil]
          loop.carryOut(.order(orders.randomElement(using: &random)!))
        }
        if Int.random(in: 0..<100, using: &random) == 0 {
          loop.carryOut(.withdraw)
          judge.withdrawn(from: camera.edge)
          judge.look(at: camera.edge, now: clock.now)
        }
        let delay = Ticks.milliseconds([0, 0, 30, 100, 600].randomElement(using: &random)!)
        if isOn { _ = try camera.take(try SampleStill.gray(Int.random(in: 40...220, using: &random))) }
        clock.advance(by: .seconds(1) + delay)
        loop.turn()
        judge.look(at: camera.edge, now: clock.now)
        clock.advance(by: .zero - delay)
      }
      #expect(judge.mistakes.isEmpty, "seed \(seed): \(judge.mistakes)")
      #expect(camera.counters.parts > 100)
    }
  }

  @Test func camerasBeginTheirSlotsAndSegmentsApart() throws {
    var beginnings: Set<Int64> = []
    var lengths: Set<Ticks> = []
    for number in 0..<6 {
      let camera = try camera { $0.presence.hold = nil }
      var loop = try CameraLoop.open(
        camera: camera, mirror: nil, folder: nil, place: SlotPlace(number: number), logger: .silent)
      // The first slot begins at once, so that there is something to see; the second one has the camera's place.
      loop.turn()
      let first = camera.edge.snapshot?.position
      for _ in 0..<2100 where camera.edge.snapshot?.position == first {
        clock.advance(by: .milliseconds(1))
        loop.turn()
      }
      beginnings.insert(clock.stationClock.wall().milliseconds % 1000 / 10)
      for _ in 0..<8 { try slot(camera, &loop, gray: 120) }
      let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
      lengths.formUnion(playlist.segments.map(\.duration))
      // No date is said twice, and none is far from the truth.
      let dates = playlist.segments.compactMap(\.programDateTime)
      #expect(zip(dates, dates.dropFirst()).allSatisfy { $0 < $1 })
    }
    #expect(beginnings.count >= 5)
    #expect(lengths.count >= 3)
  }
}
