import Access
import Ingest
import Media
import Packager
import Picture
import Records
import Station

/// The state of all cameras and of both listeners, which operators and scripts read as JSON; the properties are the names
/// in the JSON.
struct StatusReport: Encodable {
  struct Stills: Encodable {
    let taken: Int64
    let bytes: Int64
    let shown: Int64
    let displaced: Int64
    let unseen: Int64
    let undecodable: Int64
    /// By reason; a reason that has not occurred is left out.
    let refused: [String: Int64]
  }

  struct Parts: Encodable {
    let count: Int64
    let bytes: Int64
    /// How long after the beginning of its slot each is published; `null` where that is as soon as it is ready.
    let offsetMilliseconds: OrNull<Int64>
    /// Those that were not ready by then.
    let late: Int64
  }

  struct Photos: Encodable {
    let count: Int
    let bytes: Int
    /// Photos that could not be written to the store or removed there.
    let failures: Int
  }

  /// The copy in a bucket.
  struct Copy: Encodable {
    /// Objects that are owed.
    let waiting: Int
    let written: Int64
    let bytes: Int64
    let removed: Int64
    /// Requests that failed.
    let failures: Int64
    /// Segments that came too late to be written.
    let skipped: Int64
    let lastWritten: OrNull<String>
    /// What the last request failed of.
    let trouble: OrNull<String>

    init(_ report: CopyReport) {
      (waiting, written, bytes) = (report.waiting, report.written, report.writtenBytes)
      (removed, failures, skipped) = (report.removed, report.failures, report.skipped)
      (lastWritten, trouble) = (OrNull(report.lastWritten?.iso8601), OrNull(report.trouble))
    }
  }

  struct Waiting: Encodable {
    let viewers: Int
    let listeners: Int
  }

  struct Visits: Encodable {
    /// Who watches now.
    let viewers: Int
    /// Since midnight UTC.
    let visitorsToday: Int64
    /// Seconds that all viewers together watched since the process started.
    let watchedSeconds: Int64
    /// Bytes sent since then, by kind.
    let sent: [String: Int64]

    init(_ now: Records.Now) {
      (viewers, visitorsToday, watchedSeconds) = (now.viewers, now.visitorsToday, now.watchedSeconds)
      sent = Dictionary(uniqueKeysWithValues: AnswerKind.allCases.map { ($0.rawValue, now.sent[$0]) })
    }
  }

  /// What the camera's hours say; the properties are the names in `/status`.
  struct CameraHours: Encodable {
    let text: String
    let shown: Bool
    /// When that changes; `null` if not within a week.
    let until: OrNull<String>
    /// Whether the machine's clock cannot be right, so that the camera is not shown.
    let clockUnknown: Bool
  }

  struct Item: Encodable {
    let camera: String
    let newestSegment: OrNull<Int>
    let source: String
    /// Why the loop is shown in place of a camera that may be there: `operator`, `hours`, both or none.
    let pausedBy: [String]
    let hours: OrNull<CameraHours>
    let plainPlaylist: Bool
    let lastStill: OrNull<String>
    let stillAgeMilliseconds: OrNull<Int64>
    let stills: Stills
    let parts: Parts
    let waiting: Waiting
    let photos: Photos
    let bucket: OrNull<Copy>
    let waves: Int64
    let storeFailures: Int64
    let visits: Visits
  }

  /// How busy the encode threads are, and how far all cameras are stepped down.
  struct Load: Encodable {
    let level: Int
    let lowest: Int
    /// What the level means.
    let settings: String
    /// How much of their time the encode threads work, in thousandths.
    let busy: Int
    /// How much of it they need for all that comes, in thousandths: also while a backlog is worked off.
    let needed: Int
    /// Steps since the process started.
    let stepsDown: Int64
    let stepsUp: Int64
    /// Stills that were put off because the work was late.
    let putOff: Int64

    init(_ report: LoadWatch.Report) {
      (level, lowest, settings) = (report.level.index, LoadLevel.lowest.index, "\(report.level)")
      (busy, needed, stepsDown, stepsUp, putOff) = (report.busy, report.needed, report.downs, report.ups, report.putOff)
    }
  }

  let time: String
  let version: String
  let load: OrNull<Load>
  let cameras: [Item]
  let doors: DoorReport

  /// The state at this moment.
  init(_ cameras: [Camera], doors: AccessLimits, visits: [String: Records.Now], now: WallTime) {
    time = now.iso8601
    version = ProgramVersion.text
    // All cameras share it.
    load = OrNull(cameras.first.map { Load($0.load.report) })
    self.cameras = cameras.map { Item(CameraReport($0, visits: visits[$0.settings.name.text], now: now)) }
    self.doors = DoorReport(doors)
  }
}

extension StatusReport.Item {
  init(_ report: CameraReport) {
    let counters = report.counters
    camera = report.name.text
    newestSegment = OrNull(report.newestSegment)
    source = counters.source.rawValue
    let isOutsideHours = counters.hours.map { !$0.isShown } ?? false
    pausedBy = (counters.standing.isPaused ? ["operator"] : []) + (isOutsideHours ? ["hours"] : [])
    hours = OrNull(
      counters.hours.map {
        StatusReport.CameraHours(
          text: $0.text, shown: $0.isShown, until: OrNull($0.until?.iso8601), clockUnknown: $0.isTimeUnknown)
      })
    plainPlaylist = counters.servesPlain
    lastStill = OrNull(counters.lastStill?.iso8601)
    stillAgeMilliseconds = OrNull(report.stillAge)
    stills = StatusReport.Stills(
      taken: counters.taken, bytes: counters.takenBytes, shown: counters.shown, displaced: counters.displaced,
      unseen: counters.unseen, undecodable: counters.undecodable,
      refused: Dictionary(uniqueKeysWithValues: counters.refused.map { ($0.key.rawValue, $0.value) }))
    parts = StatusReport.Parts(
      count: counters.parts, bytes: counters.partBytes,
      offsetMilliseconds: OrNull(counters.publishOffset?.milliseconds), late: counters.lateParts)
    waiting = StatusReport.Waiting(viewers: report.viewersWaiting, listeners: report.listenersWaiting)
    photos = StatusReport.Photos(
      count: report.photos.photos, bytes: report.photos.bytes, failures: report.photos.failures)
    bucket = OrNull(report.copy.map { StatusReport.Copy($0) })
    waves = counters.waves
    storeFailures = counters.storeFailures
    visits = StatusReport.Visits(report.visits)
  }
}

/// A value that is written as `null` if there is none; an `Optional` would be left out.
struct OrNull<Value: Encodable>: Encodable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }
}
