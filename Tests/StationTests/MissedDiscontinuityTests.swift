import Foundation
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Discontinuities that were published while the disk hung: no file tells of them when the next process begins.
@Suite struct MissedDiscontinuityTests {
  enum Loss: CaseIterable {
    case otherLength
    case noState
    case damagedState
  }

  private let clock = HandClock()
  private let disk = FaultyDisk()

  private func settings(segment: Ticks) throws -> CameraSettings {
    var settings = try CameraSettings.sample(
      size: PictureSize(width: 32, height: 32), segment: segment, hold: .seconds(60), steady: .zero)
    settings.off = .cached
    return settings
  }

  /// One life of the process.
  ///
  /// - Parameter changes: how often the camera is paused and resumed while the disk hangs, which ends the life.
  /// - Returns: the number of the first timeline and of the last one that viewers saw.
  private func live(in folder: String, segment: Ticks, changes: Int) async throws -> (first: Int, last: Int) {
    disk.become(.good)
    let camera = Camera(settings: try settings(segment: segment), clock: clock.stationClock)
    let mirror = try Mirror(folder: folder, logger: .silent, willDo: disk.willDo)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: .silent)
    let begun = try playlist(camera)
    await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
    if changes > 0 { disk.become(.hanging) }
    let jpeg = try SampleStill.gray(120, size: PictureSize(width: 32, height: 32))
    for change in 0..<changes {
      loop.carryOut(.order(change.isMultiple(of: 2) ? .pause : .resume))
      for _ in 0..<Int(segment.floorDivided(by: .seconds(1))) + 1 {
        _ = try camera.take(jpeg)
        clock.advance(by: .seconds(1))
        loop.turn()
      }
    }
    let ended = try playlist(camera)
    _ = consume loop
    disk.become(.dying(after: 0))
    await mirror.close()
    return (
      begun.discontinuitySequence + (begun.segments.first?.discontinuity == true ? 1 : 0),
      ended.discontinuitySequence + ended.segments.count { $0.discontinuity } + (ended.trailingDiscontinuity ? 1 : 0)
    )
  }

  private func playlist(_ camera: Camera) throws -> MediaPlaylist {
    try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
  }

  @Test(arguments: Loss.allCases)
  func aTimelineThatBeginsAnewIsNumberedAboveThem(loss: Loss) async throws {
    FFmpegLog.redirect(to: .silent)
    try await withFolder { folder in
      // The numbers of the second life come from the clock, which steps back before the third.
      _ = try await live(in: folder, segment: .seconds(4), changes: 0)
      let second = try await live(in: folder, segment: .seconds(2), changes: 10)
      #expect(second.last >= second.first + 6)
      clock.stepWall(byMilliseconds: -3_600_000)
      let state = folder + "/" + StreamState.fileName
      switch loss {
      case .otherLength: break
      case .noState: try FileManager.default.removeItem(atPath: state)
      case .damagedState: try Data("{\"reservedName\":".utf8).write(to: URL(filePath: state))
      }
      let third = try await live(in: folder, segment: loss == .otherLength ? .seconds(4) : .seconds(2), changes: 0)
      #expect(third.first > second.last)
    }
  }
}
