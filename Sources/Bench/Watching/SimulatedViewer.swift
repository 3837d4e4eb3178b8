import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// The servers of the ways.
struct Venue: Sendable {
  let quietcam: Int
  let plain: Int
  let off: [Way: Int]
  let tls: NIOSSLContext?
  let every: Ticks

  private static let base = "/\(ServerProcess.camera)/"

  /// The port for a way's viewers; `nil` if its server did not start.
  func port(of way: Way) -> Int? {
    switch way {
    case .cameraPolling, .motionJPEG, .plain2TS, .plain2MP4, .plain6TS, .plain6MP4: plain
    case .polling, .conditionalPolling, .events, .lowLatency, .hints, .frames: quietcam
    case .offSeamless, .offCached: off[way]
    // The same server, which keeps no account of who watches how.
    case .offCachedFrames: off[.offCached]
    }
  }

  /// How a way is watched.
  ///
  /// - Parameter phase: how long a polling viewer waits before its first request.
  func watching(_ way: Way, phase: Ticks) -> any Watching {
    switch way {
    case .cameraPolling: PollingWatching(path: "/still.jpg", every: every, isByNewName: true, phase: phase)
    case .polling: PollingWatching(path: Self.base + "latest.jpg", every: every, isByNewName: true, phase: phase)
    case .conditionalPolling:
      PollingWatching(path: Self.base + "latest.jpg", every: every, isByNewName: false, phase: phase)
    case .motionJPEG: MotionJPEGWatching(path: "/motion.mjpeg")
    case .events: EventsWatching(path: Self.base + "events", picturePath: Self.base + "latest.jpg")
    case .plain2TS, .plain2MP4:
      StreamWatching(path: "/hls/\(way.rawValue)/index.m3u8", picturesPerSegment: 2 * SegmentingProgram.rate)
    case .plain6TS, .plain6MP4:
      StreamWatching(path: "/hls/\(way.rawValue)/index.m3u8", picturesPerSegment: 6 * SegmentingProgram.rate)
    case .lowLatency, .offSeamless, .offCached:
      StreamWatching(path: Self.base + "index.m3u8", picturesPerSegment: nil)
    case .hints: HintWatching(path: Self.base + "index.m3u8")
    case .frames, .offCachedFrames: FramesWatching(path: Self.base + "live.m3u8")
    }
  }

  /// A tab with an empty cache and no connection yet.
  ///
  /// - Parameter isOwnPage: whether it shows Quietcam's page and not another site's.
  func tab(port: Int, isOwnPage: Bool = true, log: ViewLog? = nil) -> Tab {
    Tab(
      client: WireClient(
        endpoint: WireClient.Endpoint(port: port, tls: tls), referrer: isOwnPage ? nil : Self.base, tally: WireTally(),
        group: MultiThreadedEventLoopGroup.singleton), log: log)
  }
}

/// A viewer of one way that starts again after errors.
final class SimulatedViewer: Sendable {
  let way: Way
  let tab: Tab
  private let watching: any Watching
  private let troubles = NIOLockedValueBox<(count: Int, last: String?)>((0, nil))

  init(_ way: Way, port: Int, venue: Venue, isJudged: Bool, phase: Ticks = .zero) {
    self.way = way
    tab = venue.tab(port: port, isOwnPage: way.isOnOwnPage, log: isJudged ? ViewLog() : nil)
    watching = venue.watching(way, phase: phase)
  }

  /// How often it had to start again, and why the last time.
  var trouble: (count: Int, last: String?) { troubles.withLockedValue { $0 } }

  /// Watches until the task is cancelled.
  func watch() async {
    while !Task.isCancelled {
      do { try await watching.watch(tab) } catch {
        if Task.isCancelled { return }
        troubles.withLockedValue { $0 = ($0.count + 1, "\(error)") }
      }
      try? await Task.sleep(for: .seconds(1))
    }
  }
}
