/// The result of a bandwidth bench.
public struct BandwidthResult: Codable, Sendable {
  /// One way's figures. Bytes are TCP payload, both ways; GB are 10^9 bytes.
  public struct Entry: Codable, Sendable {
    /// The way.
    public let way: Way
    /// Its name, its family and a note.
    public let title, family, note: String
    /// Bytes of a minute in the steady state; `nil` if the way could not be measured.
    public var perMinute: WireBytes?
    /// All of them, relative to the bytes of polling the camera's own JPEGs.
    public var ofPolling: Double?
    /// Bytes of a viewer's first five seconds, the mean of some that joined at different moments.
    public var join: WireBytes?
    /// Bytes of page, script and player library for a visitor with an empty cache; 0 if a few lines of script are
    /// enough.
    public var playerBytes = 0
    /// Against the pushed stills, luma.
    public var ssimToStill: Double?
    /// Against the scene that the camera saw, if it is known.
    public var ssimToScene: Double?
    /// VMAF against the scene, or else the stills, if ffmpeg has it.
    public var vmaf: Double?
    /// The median time from the push of a still until the bytes that show it had arrived, in seconds.
    public var latency: Double?
    /// The same for the slowest twentieth.
    public var latency95: Double?
    /// How many of the pushed stills a viewer was shown.
    public var shown: Int?
    /// 9,000 visitors of one minute each, with their join, the player in their caches.
    public var visitorsGB: Double?
    /// The same, where each loads the player.
    public var visitorsWithPlayerGB: Double?
    /// 100 viewers for 30 days.
    public var monthGB: Double?
    /// How often the viewer had to start again.
    public var restarts = 0
    /// Why there are no figures.
    public var problem: String?

    init(_ way: Way) { (self.way, title, family, note) = (way, way.title, way.family, way.note) }
  }

  /// The kernel's count and ours, over all of one viewer's connections from their start.
  public struct Check: Codable, Sendable {
    /// The viewer's way.
    public let way: Way
    /// Bytes by the counters in the client.
    public let counted: Int
    /// Bytes by `ss`.
    public let kernel: Int
    /// The difference, in per cent of the kernel's.
    public var difference: Double { kernel == 0 ? 0 : 100 * Double(counted - kernel) / Double(kernel) }
  }

  /// Where the stills come from.
  public var source: String
  /// The number of different stills, and their mean size in bytes.
  public var stills, stillBytes: Int
  /// Seconds between stills, and seconds that were measured.
  public var every, seconds: Double
  /// How many were pushed in that time.
  public var pushed: Int
  /// `HTTP/1.1`, or `HTTP/2 in TLS`.
  public var transport: String
  /// The server's settings that differ from the defaults.
  public var settings: String
  /// The stills themselves against the scene.
  public var ssimOfStills: Double?
  /// Of the stream: seconds of a part and of a segment.
  public var part, segment: Double
  /// Why the figures cannot be trusted; `nil` if they can.
  public var warning: String?
  /// For each way.
  public var entries: [Entry]
  /// The kernel's counts; empty if they were not requested.
  public var checks: [Check]
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
