import Foundation
import Media
import NIOCore
import TestSupport
import Testing

@testable import Bench
@testable import Camera

/// The judge of what viewers saw, which is the `ffmpeg` program.
struct QualityJudgeTests {
  private static let hasFFmpeg = ExternalProgram.ffmpeg.isInstalled
  private static let size = PictureSize(width: 320, height: 240)

  private static func hasVMAF() async -> Bool {
    guard hasFFmpeg, let filters = try? await ExternalProgram.ffmpeg.output(["-v", "error", "-filters"]) else {
      return false
    }
    return String(decoding: filters, as: UTF8.self).contains(" libvmaf ")
  }

  /// The marks of a desk's grainy stills against the painted scene.
  private func marks(quality: Int) async throws -> QualityJudge.Marks {
    var making = StillSet.Making()
    (making.size, making.quality, making.count) = (Self.size, quality, 3)
    let set = try await StillSet.make("demo", every: .seconds(2), making) { _ in }
    return try await withFolder { folder in
      let judge = try await QualityJudge(set, size: Self.size, folder: URL(fileURLWithPath: folder))
      return try #require(try await judge.marksOfStills([0, 1, 2]))
    }
  }

  @Test(.enabled(if: hasFFmpeg, "the ffmpeg program is not installed"))
  func aBetterJPEGIsMoreLikeTheScene() async throws {
    let (good, poor) = (try await marks(quality: 90), try await marks(quality: 20))
    #expect(good.ssim > poor.ssim && good.ssim < 1 && poor.ssim > 0.5)
  }

  @Test(.enabled("this ffmpeg has no libvmaf filter") { await hasVMAF() })
  func vmafFollowsTheSimilarityToo() async throws {
    let (good, poor) = (try await marks(quality: 90), try await marks(quality: 20))
    let (high, low) = (try #require(good.vmaf), try #require(poor.vmaf))
    #expect(high > low && high <= 100 && low >= 0)
  }
}
