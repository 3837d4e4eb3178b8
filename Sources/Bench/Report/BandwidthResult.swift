/// The result of a bandwidth bench.
package struct BandwidthResult: Codable, Sendable {
  /// One way's figures. Bytes are TCP payload, both ways; GB are 10^9 bytes.
  package struct Entry: Codable, Sendable {
    /// The way.
    package let way: Way
    /// Its name, its family and a note.
    package let title, family, note: String
    /// Bytes of a minute in the steady state; `nil` if the way could not be measured.
    package var perMinute: WireBytes?
    /// All of them, relative to the bytes of polling the camera's own JPEGs.
    package var ofPolling: Double?
    /// Bytes of a viewer's first five seconds, the mean of some that joined at different moments.
    package var join: WireBytes?
    /// Bytes of page, script and player library for a visitor with an empty cache; 0 if a few lines of script are
    /// enough.
    package var playerBytes = 0
    /// Against the pushed stills, luma.
    package var ssimToStill: Double?
    /// Against the scene that the camera saw, if it is known.
    package var ssimToScene: Double?
    /// VMAF against the scene, or else the stills, if ffmpeg has it.
    package var vmaf: Double?
    /// The median time from the push of a still until the bytes that show it had arrived, in seconds.
    package var latency: Double?
    /// The same for the slowest twentieth.
    package var latency95: Double?
    /// How many of the pushed stills a viewer was shown.
    package var shown: Int?
    /// 9,000 visitors of one minute each, with their join, the player in their caches.
    package var visitorsGB: Double?
    /// The same, where each loads the player.
    package var visitorsWithPlayerGB: Double?
    /// 100 viewers for 30 days.
    package var monthGB: Double?
    /// How often the viewer had to start again.
    package var restarts = 0
    /// Why there are no figures.
    package var problem: String?

    init(_ way: Way) { (self.way, title, family, note) = (way, way.title, way.family, way.note) }
  }

  /// The kernel's count and ours, over all of one viewer's connections from their start.
  package struct Check: Codable, Sendable {
    /// The viewer's way.
    package let way: Way
    /// Bytes by the counters in the client.
    package let counted: Int
    /// Bytes by `ss`.
    package let kernel: Int
    /// The difference, in per cent of the kernel's.
    package var difference: Double { kernel == 0 ? 0 : 100 * Double(counted - kernel) / Double(kernel) }
  }

  /// Where the stills come from.
  package var source: String
  /// The number of different stills, and their mean size in bytes.
  package var stills, stillBytes: Int
  /// Seconds between stills, and seconds that were measured.
  package var every, seconds: Double
  /// How many were pushed in that time.
  package var pushed: Int
  /// `HTTP/1.1`, or `HTTP/2 in TLS`.
  package var transport: String
  /// The server's settings that differ from the defaults.
  package var settings: String
  /// The stills themselves against the scene.
  package var ssimOfStills: Double?
  /// Of the stream: seconds of a part and of a segment.
  package var part, segment: Double
  /// Why the figures cannot be trusted; `nil` if they can.
  package var warning: String?
  /// For each way.
  package var entries: [Entry]
  /// The kernel's counts; empty if they were not requested.
  package var checks: [Check]
}

extension BandwidthResult.Entry {
  /// Computes the values that follow from the bytes.
  mutating func conclude(polling: Int?) {
    guard let perMinute else { return }
    if let polling, polling > 0 { ofPolling = Double(perMinute.total) / Double(polling) }
    monthGB = Double(perMinute.total) * 100 * 60 * 24 * 30 / 1e9
    if let join {
      let visit = Double(join.total) + Double(perMinute.total) * 55 / 60
      visitorsGB = visit * 9000 / 1e9
      visitorsWithPlayerGB = (visit + Double(playerBytes)) * 9000 / 1e9
    }
  }
}
