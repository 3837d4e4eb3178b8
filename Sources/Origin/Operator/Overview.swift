import Access
import Ingest
import Media
import Picture
import Records
import Station

/// What the operator's page shows of this moment, `GET /overview`; the properties are the names in the JSON.
///
/// Times are ISO 8601 in UTC, lengths of time whole milliseconds. What is not known is `null`.
struct Overview: Encodable {
  /// What a camera did in some time.
  struct Lately: Encodable {
    /// How long that time is: less than meant right after the start.
    let milliseconds: Int64
    let stills: Int64
    let stillBytes: Int64
    /// Bytes of the stream's parts: what one viewer of the stream loads.
    let partBytes: Int64
    /// Stills that a newer one replaced before they were shown.
    let displaced: Int64
    /// How long coding took for a slot, on average, in microseconds.
    let codingMicroseconds: OrNull<Int64>
  }

  struct Item: Encodable {
    let camera: String
    let title: String
    /// `open` or `signed`.
    let access: String
    /// `live`, `held`, `off`, `paused` or `veiled`, since when, and why as a sentence.
    let state: String
    let since: OrNull<String>
    let why: String
    /// The commands that are in force.
    let isPaused: Bool
    let isVeiled: Bool
    /// Whether a veil can be ordered, or why not.
    let veilRefusal: OrNull<String>
    let lastStill: OrNull<String>
    let stillAge: OrNull<Int64>
    /// The stills that come, and what the newest picture is called; it changes with each picture.
    let picture: OrNull<String>
    let width: Int
    let height: Int
    /// Who watches now, and the visitors since midnight UTC.
    let viewers: Int
    let visitorsToday: Int64
    /// In the last ten seconds, and in the last minute.
    let lately: OrNull<Lately>
    let minute: OrNull<Lately>
    let refused: Int64
    let undecodable: Int64
    let waves: Int64
    let photos: Int
    /// Bytes in the store.
    let diskBytes: OrNull<Int64>
    /// Writes to the store that failed.
    let storeFailures: Int64
  }

  struct Store: Encodable {
    let freeBytes: Int64
    let totalBytes: Int64
  }

  /// Where viewers come to.
  struct Public: Encodable {
    /// `base-url`, where it is set.
    let base: OrNull<String>
    let isSecure: Bool
    let host: String
    let port: OrNull<Int>
    let connections: Int
  }

  let time: String
  let start: String
  let `public`: Public
  /// `null` if the store is in memory.
  let store: OrNull<Store>
  /// Whether links to signed cameras can be made.
  let makesLinks: Bool
  /// Sessions of this page.
  let sessions: Int
  /// Wrong tokens since the start.
  let wrongTokens: Int64
  let cameras: [Item]
}

extension Overview.Lately {
  init(_ sample: RateWindow.Sample) {
    milliseconds = sample.time
    (stills, stillBytes, partBytes) = (sample.stills, sample.stillBytes, sample.partBytes)
    displaced = sample.displaced
    codingMicroseconds = OrNull(sample.coded > 0 ? sample.codingTime / sample.coded : nil)
  }
}

extension Overview.Item {
  init(
    _ camera: Camera, access: ViewerAccess, watch: CameraWatch?, visits: Records.Now?, diskBytes: Int64?, now: WallTime
  ) {
    let report = CameraReport(camera, visits: visits, now: now)
    let (settings, counters) = (camera.settings, report.counters)
    self.camera = settings.name.text
    title = settings.shownTitle
    self.access = access.rawValue
    state = watch?.condition?.state.rawValue ?? counters.source.rawValue
    since = OrNull(watch?.since?.iso8601)
    why = watch?.condition?.why ?? ""
    (isPaused, isVeiled) = (counters.standing.isPaused, counters.standing.isVeiled)
    veilRefusal = OrNull(OperatorSwitches.veilRefusal(settings)?.code)
    lastStill = OrNull(counters.lastStill?.iso8601)
    stillAge = OrNull(report.stillAge)
    picture = OrNull(camera.edge.latest.map { String($0.etag.filter { $0 != "\"" }) })
    (width, height) = (settings.picture.size.width, settings.picture.size.height)
    viewers = report.visits.viewers
    visitorsToday = report.visits.visitorsToday
    lately = OrNull(watch?.lately.map { Overview.Lately($0) })
    minute = OrNull(watch?.minute.map { Overview.Lately($0) })
    refused = counters.refused.values.reduce(0, +)
    undecodable = counters.undecodable
    waves = counters.waves
    photos = report.photos.photos
    self.diskBytes = OrNull(diskBytes)
    storeFailures = counters.storeFailures
  }
}
