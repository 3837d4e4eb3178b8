import Access
import Ingest
import Media
import NIOCore
import Packager
import Picture
import Records
import Station

/// The counters of all cameras in Prometheus's text format (0.0.4).
enum MetricsText {
  /// The content type of the text.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The text for these cameras at this moment.
  static func render(_ cameras: [Camera], doors: AccessLimits, visits: [String: Records.Now], now: WallTime)
    -> ByteBuffer
  {
    let reports = cameras.map { CameraReport($0, visits: visits[$0.settings.name.text], now: now) }
    var text = ByteBuffer()
    func family(_ name: String, _ type: String, _ help: String, _ value: (CameraReport) -> [(String, Int64)]) {
      text.writeString("# HELP quietcam_\(name) \(help)\n# TYPE quietcam_\(name) \(type)\n")
      for report in reports {
        for (labels, number) in value(report) {
          text.writeString("quietcam_\(name){camera=\"\(report.name)\"\(labels)} \(number)\n")
        }
      }
    }
    family("stills_taken_total", "counter", "Stills that were accepted.") { [("", $0.counters.taken)] }
    family("still_bytes_total", "counter", "Bytes of the accepted stills.") { [("", $0.counters.takenBytes)] }
    family("stills_refused_total", "counter", "Stills that were refused, by reason.") { report in
      StillRefusal.Reason.allCases.map { (",reason=\"\($0.rawValue)\"", report.counters.refused[$0] ?? 0) }
    }
    family("stills_undecodable_total", "counter", "Accepted stills that could not be decoded.") {
      [("", $0.counters.undecodable)]
    }
    family("stills_displaced_total", "counter", "Stills that a newer one replaced.") {
      [("", $0.counters.displaced)]
    }
    family("stills_shown_total", "counter", "Stills that were shown.") { [("", $0.counters.shown)] }
    family("stills_unseen_total", "counter", "Stills that came while the loop was shown.") {
      [("", $0.counters.unseen)]
    }
    family("source", "gauge", "What is shown: 1 for it, 0 for the others.") { report in
      Director.Source.allCases.map { (",source=\"\($0.rawValue)\"", report.counters.source == $0 ? 1 : 0) }
    }
    family("segments_total", "counter", "Segments that were started, by what they show.") { report in
      Director.Source.allCases.map { (",source=\"\($0.rawValue)\"", report.counters.segments[$0] ?? 0) }
    }
    family("parts_total", "counter", "Parts published.") { [("", $0.counters.parts)] }
    family("part_bytes_total", "counter", "Bytes of the parts published.") { [("", $0.counters.partBytes)] }
    family("waves_total", "counter", "Waves of visitors.") { [("", $0.counters.waves)] }
    family("photos", "gauge", "Photos that are kept.") { [("", Int64($0.photos.photos))] }
    family("photo_bytes", "gauge", "Bytes of the photos that are kept.") { [("", Int64($0.photos.bytes))] }
    family("photo_failures_total", "counter", "Photos that could not be written to the store or removed there.") {
      [("", Int64($0.photos.failures))]
    }
    family("store_failures_total", "counter", "Writes to the store that failed.") { [("", $0.counters.storeFailures)] }
    family("store_slow_total", "counter", "States that took longer to write to the store than the length of a part.") {
      [("", $0.counters.slowWrites)]
    }
    family("still_age_seconds", "gauge", "Whole seconds since the newest still.") { report in
      report.stillAge.map { [("", $0 / 1000)] } ?? []
    }
    family("viewers_waiting", "gauge", "Requests that wait for the next part.") { [("", Int64($0.viewersWaiting))] }
    family("listeners_waiting", "gauge", "Requests that wait for an event.") { [("", Int64($0.listenersWaiting))] }
    family("viewers", "gauge", "Viewers now.") { [("", Int64($0.visits.viewers))] }
    family("visitors_today", "gauge", "Visitors since midnight UTC.") { [("", $0.visits.visitorsToday)] }
    family("watched_seconds_total", "counter", "Seconds that all viewers together watched.") {
      [("", $0.visits.watchedSeconds)]
    }
    writeSent(visits, cameras: reports.map(\.name.text), to: &text)
    writeDoors(DoorReport(doors), to: &text)
    return text
  }

  /// The bytes that were sent; what belongs to no camera, such as the element's script, has an empty name.
  private static func writeSent(_ visits: [String: Records.Now], cameras: [String], to text: inout ByteBuffer) {
    text.writeString("# HELP quietcam_sent_bytes_total Bytes sent to viewers, by kind of answer.\n")
    text.writeString("# TYPE quietcam_sent_bytes_total counter\n")
    for camera in cameras + [""] {
      for kind in AnswerKind.allCases {
        let bytes = visits[camera]?.sent[kind] ?? 0
        text.writeString("quietcam_sent_bytes_total{camera=\"\(camera)\",kind=\"\(kind.rawValue)\"} \(bytes)\n")
      }
    }
  }

  private static func writeDoors(_ doors: DoorReport, to text: inout ByteBuffer) {
    func family(_ name: String, _ type: String, _ help: String, _ values: [(labels: String, number: Int64)]) {
      text.writeString("# HELP quietcam_\(name) \(help)\n# TYPE quietcam_\(name) \(type)\n")
      for value in values { text.writeString("quietcam_\(name){\(value.labels)} \(value.number)\n") }
    }
    family(
      "connections", "gauge", "Open connections, by listener.",
      [("door=\"public\"", Int64(doors.public.connections)), ("door=\"private\"", Int64(doors.private.connections))])
    family(
      "connections_turned_away_total", "counter", "Connections refused for the limits, by listener.",
      [("door=\"public\"", doors.public.turnedAway), ("door=\"private\"", doors.private.turnedAway)])
    family(
      "unreadable_requests_total", "counter", "Requests whose head or framing could not be read, by door.",
      [("door=\"public\"", doors.public.unreadable), ("door=\"private\"", doors.private.unreadable)])
    family(
      "wrong_tokens_total", "counter",
      "Wrong tokens and signatures that were checked, or refused without a check for their number.",
      [("looked=\"yes\"", doors.wrongTokens.lookedAt), ("looked=\"no\"", doors.wrongTokens.slowed)])
    family(
      "waves_refused_total", "counter", "Waves refused because their visitor waves too often.",
      [("door=\"public\"", doors.refusedWaves)])
    family(
      "upload_bytes", "gauge", "Memory of stills that are being received.",
      [("at=\"now\"", Int64(doors.uploads.bytes)), ("at=\"most\"", Int64(doors.uploads.mostBytes))])
    family(
      "uploads_without_room_total", "counter",
      "Stills refused because others that are being received use all the memory.",
      [("door=\"private\"", doors.uploads.withoutRoom)])
  }
}
