import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// An hour of a camera that comes and goes, as fast as the machine can: nothing may grow.
///
/// `QUIETCAM_LONG_HOURS` runs so many, best with no other test beside: then the memory of the process is looked at too.
@Suite struct LongRunTests {
  private static let hours = ProcessInfo.processInfo.environment["QUIETCAM_LONG_HOURS"].flatMap(Int.init)

  @Test(arguments: [CameraSettings.OffStyle.seamless, .cached])
  func theSecondHalfOfAnHourTakesNoMoreThanTheFirst(off: CameraSettings.OffStyle) async throws {
    let folder = TemporaryFolder.path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let clock = HandClock()
    let silent = Logger.silent
    var settings = try CameraSettings.sample(
      size: PictureSize(width: 32, height: 32), rate: 1, part: .seconds(2), segment: .seconds(12), hold: .seconds(20))
    settings.off = off
    settings.remember = .seconds(120)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let mirror = try Mirror(folder: folder, logger: silent)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: silent)
    let stills = try StreamHistory.stills()
    var generator = SeededGenerator(seed: 7)
    var (mostEarly, mostLate) = (Sample(), Sample())
    var isOn = true
    var memory: [Int] = []
    for slot in 0..<1800 * (Self.hours ?? 1) {
      if slot % 1800 == 0, slot > 0, Self.hours != nil { memory.append(try Self.memoryInUse()) }
      if slot % 40 == 0 { isOn = Bool.random(using: &generator) }
      if isOn, let still = stills.randomElement(using: &generator) { _ = try camera.take(still) }
      if slot % 97 == 0 { loop.carryOut(.order(slot % 2 == 0 ? .pause : .resume)) }
      if slot % 311 == 310 { loop.carryOut(.withdraw) }
      if slot % 150 < 20 { await askForPlain(camera) }
      clock.advance(by: .seconds(2))
      loop.turn()
      if slot % 5 == 0 {
        await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
        let sample = Sample(
          media: camera.edge.mediaCount, bytes: camera.edge.mediaBytes,
          files: try FileManager.default.contentsOfDirectory(atPath: folder).count,
          recent: camera.recent.file(span: .seconds(7200), segment: .seconds(12))?.readableBytes ?? 0,
          remembered: loop.rememberedSlots)
        if slot < 900 { mostEarly.take(sample) } else { mostLate.take(sample) }
      }
    }
    if Self.hours != nil {
      memory.append(try Self.memoryInUse())
      print("off \(off), kB after each hour: \(memory)")
      // It goes up and down by some megabytes with what the stream shows.
      let half = memory.count / 2
      #expect(memory[half...].min() ?? 0 <= memory[..<half].max() ?? .max, "\(memory)")
    }
    _ = consume loop
    await mirror.close()
    #expect(mirror.failures == 0)
    #expect(mostLate.media <= mostEarly.media * 3 / 2, "\(mostEarly) \(mostLate)")
    #expect(mostLate.bytes <= mostEarly.bytes * 2, "\(mostEarly) \(mostLate)")
    #expect(mostLate.files <= mostEarly.files * 3 / 2, "\(mostEarly) \(mostLate)")
    #expect(mostLate.recent <= mostEarly.recent * 2, "\(mostEarly) \(mostLate)")
    #expect(mostLate.remembered <= 10, "\(mostEarly) \(mostLate)")
  }

  /// The memory of the process that is no mapped file, in kB, once what is free was given back.
  private static func memoryInUse() throws -> Int {
    typealias Trim = @convention(c) (Int) -> CInt
    let trim = try #require(dlsym(nil, "malloc_trim"))
    _ = unsafeBitCast(trim, to: Trim.self)(0)
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
    return try #require(Int(line.split(separator: " ")[1]))
  }

  private func askForPlain(_ camera: Camera) async {
    let task = Task { await camera.plainPlaylist(deadline: .now, isWanted: { false }) }
    task.cancel()
    _ = await task.value
  }

  private struct Sample {
    var media = 0
    var bytes = 0
    var files = 0
    var recent = 0
    var remembered = 0

    mutating func take(_ other: Sample) {
      (media, bytes, files) = (max(media, other.media), max(bytes, other.bytes), max(files, other.files))
      (recent, remembered) = (max(recent, other.recent), max(remembered, other.remembered))
    }
  }
}
