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

/// Stills that are decoded when they come, and not when their slot begins.
@Suite struct EarlyStillTests {
  private let clock = HandClock()
  private let logger = Logger.silent

  private func camera(atOnce: Bool, _ change: (inout CameraSettings) -> Void = { _ in }) throws -> Camera {
    var settings = try CameraSettings.sample(part: .seconds(2))
    settings.showsAtOnce = atOnce
    change(&settings)
    return Camera(settings: settings, clock: clock.stationClock)
  }

  private func loop(_ camera: Camera) throws -> CameraLoop {
    try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: logger)
  }

  /// The mean luma of a JPEG, about 16 to 235.
  private func gray(_ latest: LatestPicture?) throws -> Int {
    let jpeg = try #require(latest?.jpeg)
    let frame = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 20))
    return frame.withPlane(0) { plane in
      (0..<plane.height).reduce(0) { $0 + plane.row($1).reduce(0) { $0 + Int($1) } } / (plane.width * plane.height)
    }
  }

  private func slot(_ loop: inout CameraLoop) {
    clock.advance(by: .seconds(2))
    loop.turn()
  }

  @Test func aStillIsTheLatestPictureBeforeItsSlotAndToldOfOnce() async throws {
    let camera = try camera(atOnce: true)
    var loop = try loop(camera)
    let decoder = EarlyDecoder(camera: camera, logger: logger)
    slot(&loop)
    let (snapshot, event) = (try #require(camera.edge.snapshot), camera.events.newestID)
    for value in [200, 100] {
      clock.advance(by: .milliseconds(600))
      _ = try camera.take(try SampleStill.gray(value))
      #expect(decoder.decodeNext() && !decoder.decodeNext())
      loop.turn()
      #expect(abs(try gray(camera.edge.latest) - value) < 6)
    }
    #expect(camera.edge.snapshot?.position == snapshot.position, "no slot has begun")
    let told = await camera.events.events(after: event, deadline: .now)
    #expect(told?.map(\.kind) == [.still, .still])
    clock.advance(by: .milliseconds(800))
    loop.turn()
    #expect(camera.edge.snapshot?.position != snapshot.position)
    #expect(await camera.events.events(after: event, deadline: .now)?.count == 2)
    #expect(camera.counters.shown == 2 && camera.counters.displaced == 0)
    // Both are coded: the part that would only repeat a picture has some hundred bytes.
    #expect(try #require(camera.edge.media(named: snapshot.hintedName)).readableBytes > 250)
    #expect(abs(try gray(camera.edge.latest) - 100) < 6)
  }

  @Test func nothingIsShownBeforeItsTimeUnderALoopOrADelay() throws {
    for isDelayed in [false, true] {
      let camera = try camera(atOnce: true) { if isDelayed { $0.delay = .seconds(6) } }
      var loop = try loop(camera)
      let decoder = EarlyDecoder(camera: camera, logger: logger)
      if !isDelayed {
        loop.carryOut(.order(.pause))
        for _ in 0..<4 { slot(&loop) }
        #expect(camera.counters.source == .paused)
      }
      let (before, event) = (try #require(camera.edge.latest), camera.events.newestID)
      _ = try camera.take(try SampleStill.gray(220))
      #expect(decoder.decodeNext() == !isDelayed)
      loop.turn()
      slot(&loop)
      #expect(camera.edge.latest?.etag == before.etag)
      #expect(camera.events.newestID == event)
    }
  }

  @Test func aStillThatIsBeingDecodedWhenAllIsWithdrawnIsGone() throws {
    let camera = try camera(atOnce: true)
    var loop = try loop(camera)
    slot(&loop)
    _ = try camera.take(try SampleStill.gray(220))
    let taken = try #require(camera.takeEarly())
    loop.carryOut(.withdraw)
    camera.put(DecodedStill(taken, picture: try DecodedPicture.decode(taken.jpeg, maxPixels: 1 << 20)))
    #expect(camera.takeStills().isEmpty)
    loop.turn()
    #expect(try gray(camera.edge.latest) < 120)
  }

  @Test func aLargeStillWaitsForNoSlotAndNoSlotWaitsForIt() throws {
    let camera = try camera(atOnce: false)
    var loop = try loop(camera)
    let decoder = EarlyDecoder(camera: camera, logger: logger)
    slot(&loop)
    let large = try SampleStill.gray(210, size: PictureSize(width: 2400, height: 1800))
    for _ in 0..<3 { _ = try camera.take(large) }
    slot(&loop)  // It has not been decoded yet: the slot goes on without it.
    #expect(camera.counters.shown == 0 && camera.counters.displaced == 2)
    #expect(decoder.decodeNext())
    clock.advance(by: .milliseconds(600))
    _ = try camera.take(try SampleStill.gray(90))
    loop.turn()
    #expect(camera.counters.shown == 0, "it shows with its slot and no sooner")
    slot(&loop)
    #expect(camera.counters.shown == 2)
    #expect(abs(try gray(camera.edge.latest) - 90) < 6, "the newer one stands")
  }

  @Test func aSmallStillThatTakesLongToDecodeKeepsNoSlotWaiting() throws {
    let slow = SlowStill.make(size: PictureSize(width: 2400, height: 1600), scans: 100)
    #expect(slow.readableBytes < 1_000_000)
    for delay in [Ticks.zero, .seconds(6)] {
      let camera = try camera(atOnce: false) { $0.delay = delay }
      var loop = try loop(camera)
      let decoder = EarlyDecoder(camera: camera, logger: logger)
      slot(&loop)
      for _ in 0..<3 { _ = try camera.take(slow) }
      if delay > .zero {
        clock.advance(by: delay - .milliseconds(100))
        loop.turn()
        // Not even decoded before its time: what is not there cannot be shown.
        #expect(!decoder.decodeNext() && camera.inbox.oldestEarly != nil)
      }
      slot(&loop)  // It is not decoded yet, and not by the slot.
      #expect(camera.counters.shown == 0 && camera.counters.undecodable == 0)
      #expect(decoder.decodeNext() && !decoder.decodeNext())
      #expect(camera.inbox.oldestEarly == nil)
      slot(&loop)
      #expect(camera.counters.shown == 1 && camera.counters.displaced == 2)
    }
  }

  @Test func stillsThatAreKeptBackAndTakeLongKeepTheirOrder() throws {
    let slow = SlowStill.make(size: PictureSize(width: 2400, height: 1600), scans: 60)
    let camera = try camera(atOnce: false) { $0.delay = .seconds(6) }
    var loop = try loop(camera)
    let decoder = EarlyDecoder(camera: camera, logger: logger)
    slot(&loop)
    for value in [60, 200] {
      _ = try camera.take(slow)
      clock.advance(by: .milliseconds(500))
      _ = try camera.take(try SampleStill.gray(value))
      clock.advance(by: .milliseconds(1500))
      loop.turn()
    }
    // The first is due, and the second not yet.
    clock.advance(by: .milliseconds(2000))
    #expect(decoder.decodeNext() && !decoder.decodeNext())
    loop.turn()
    clock.advance(by: .milliseconds(600))
    loop.carryOut(.withdraw)
    #expect(camera.inbox.oldestEarly == nil && !decoder.decodeNext(), "what waits is gone with a withdrawal")
  }

  @Test func aLargeStillThatALaterOneOvertookIsNotShown() throws {
    let camera = try camera(atOnce: false)
    var loop = try loop(camera)
    let decoder = EarlyDecoder(camera: camera, logger: logger)
    _ = try camera.take(try SampleStill.gray(210, size: PictureSize(width: 2400, height: 1800)))
    clock.advance(by: .milliseconds(100))
    _ = try camera.take(try SampleStill.gray(90))
    slot(&loop)
    #expect(decoder.decodeNext())
    slot(&loop)
    #expect(abs(try gray(camera.edge.latest) - 90) < 6)
    #expect(camera.counters.shown == 1 && camera.counters.displaced == 1)
  }

  @Test func aLargeStillThatDoesNotDecodeIsCounted() throws {
    let camera = try camera(atOnce: true)
    var loop = try loop(camera)
    let latest = try #require(camera.edge.latest)
    var damaged = try SampleStill.gray(220)
    let noise = (0..<60).map { UInt8(($0 * 37 + 11) % 200) }
    damaged.setBytes(noise, at: damaged.writerIndex - 2 - noise.count)
    _ = try camera.take(damaged)
    #expect(EarlyDecoder(camera: camera, logger: logger).decodeNext())
    loop.turn()
    #expect(camera.counters.undecodable == 1)
    #expect(camera.edge.latest?.etag == latest.etag)
  }
}
