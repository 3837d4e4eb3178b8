import Access
import Ingest
import Media
import NIOCore
import Packager
import Picture
import Records
import Station

/// The counters of all cameras and of both listeners in Prometheus's text format (0.0.4).
enum MetricsText {
  /// The content type of the text.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// The text for these cameras at this moment.
  static func render(
    _ cameras: [Camera], doors: AccessLimits, visits: [String: Records.Now], now: WallTime
  ) -> ByteBuffer {
    var writer = MetricsWriter()
    writer.family(
      "build_info", .gauge, "Always 1; the labels say which program this is.",
      [([("version", ProgramVersion.text)], 1)])
    write(cameras.map { CameraReport($0, visits: visits[$0.settings.name.text], now: now) }, to: &writer)
    writeSent(visits, cameras: cameras.map(\.settings.name.text), to: &writer)
    writeTimes(cameras, doors, to: &writer)
    // All cameras share it.
    if let load = cameras.first?.load.report { write(load, to: &writer) }
    write(DoorReport(doors), to: &writer)
    writer.process(ProcessUsage())
    return writer.text
  }

  private static func write(_ reports: [CameraReport], to writer: inout MetricsWriter) {
    func family(_ name: String, _ kind: MetricsWriter.Kind, _ help: String, _ value: (CameraReport) -> Int64) {
      writer.family(name, kind, help, reports.map { ([("camera", $0.name.text)], value($0)) })
    }
    func byLabel(
      _ name: String, _ kind: MetricsWriter.Kind, _ help: String, _ label: String,
      _ values: (CameraReport) -> [(String, Int64)]
    ) {
      writer.family(
        name, kind, help,
        reports.flatMap { report in
          values(report).map { ([("camera", report.name.text), (label, $0)], $1) }
        })
    }
    family("stills_taken_total", .counter, "Stills that were accepted.") { $0.counters.taken }
    family("still_bytes_total", .counter, "Bytes of the accepted stills.") { $0.counters.takenBytes }
    byLabel("stills_refused_total", .counter, "Stills that were refused, by reason.", "reason") { report in
      StillRefusal.Reason.allCases.map { ($0.rawValue, report.counters.refused[$0] ?? 0) }
    }
    family("stills_undecodable_total", .counter, "Accepted stills that could not be decoded.") {
      $0.counters.undecodable
    }
    family("stills_displaced_total", .counter, "Stills that a newer one replaced.") { $0.counters.displaced }
    family("stills_shown_total", .counter, "Stills that were shown.") { $0.counters.shown }
    family("stills_unseen_total", .counter, "Stills that came while the loop was shown.") { $0.counters.unseen }
    byLabel("source", .gauge, "What is shown: 1 for it, 0 for the others.", "source") { report in
      Director.Source.allCases.map { ($0.rawValue, report.counters.source == $0 ? 1 : 0) }
    }
    byLabel("segments_total", .counter, "Segments that were started, by what they show.", "source") { report in
      Director.Source.allCases.map { ($0.rawValue, report.counters.segments[$0] ?? 0) }
    }
    family("parts_total", .counter, "Parts published.") { $0.counters.parts }
    family("part_bytes_total", .counter, "Bytes of the parts published.") { $0.counters.partBytes }
    family("parts_late_total", .counter, "Parts that were not ready at the offset at which they are published.") {
      $0.counters.lateParts
    }
    family("waves_total", .counter, "Waves of visitors.") { $0.counters.waves }
    family("photos", .gauge, "Photos that are kept.") { Int64($0.photos.photos) }
    family("photo_bytes", .gauge, "Bytes of the photos that are kept.") { Int64($0.photos.bytes) }
    family("photo_failures_total", .counter, "Photos that could not be written to the store or removed there.") {
      Int64($0.photos.failures)
    }
    family("store_failures_total", .counter, "Writes to the store that failed.") { $0.counters.storeFailures }
    family(
      "store_slow_total", .counter, "States that took longer to write to the store than the length of a part."
    ) { $0.counters.slowWrites }
    writeCopies(reports, to: &writer)
    writer.family(
      "still_age_seconds", .gauge, "Whole seconds since the newest still.",
      reports.compactMap { report in report.stillAge.map { ([("camera", report.name.text)], $0 / 1000) } })
    family("viewers_waiting", .gauge, "Requests that wait for the next part.") { Int64($0.viewersWaiting) }
    family("listeners_waiting", .gauge, "Requests that wait for an event.") { Int64($0.listenersWaiting) }
    family("viewers", .gauge, "Viewers now.") { Int64($0.visits.viewers) }
    family("visitors_today", .gauge, "Visitors since midnight UTC.") { $0.visits.visitorsToday }
    family("watched_seconds_total", .counter, "Seconds that all viewers together watched.") { $0.visits.watchedSeconds }
  }

  /// The copies in a bucket, of the cameras that have one.
  private static func writeCopies(_ reports: [CameraReport], to writer: inout MetricsWriter) {
    func family(_ name: String, _ kind: MetricsWriter.Kind, _ help: String, _ value: (CopyReport) -> Int64?) {
      writer.family(
        name, kind, help,
        reports.compactMap { report in report.copy.flatMap(value).map { ([("camera", report.name.text)], $0) } })
    }
    family("bucket_waiting", .gauge, "Objects that are owed to the bucket.") { Int64($0.waiting) }
    family("bucket_written_total", .counter, "Objects that were written to the bucket.") { $0.written }
    family("bucket_written_bytes_total", .counter, "Their bytes.") { $0.writtenBytes }
    family("bucket_removed_total", .counter, "Objects that were removed from the bucket.") { $0.removed }
    family("bucket_failures_total", .counter, "Requests to the bucket that failed.") { $0.failures }
    family("bucket_skipped_total", .counter, "Segments whose time was over before the bucket took them.") { $0.skipped }
    family("bucket_written_timestamp_seconds", .gauge, "When an object was written last, in seconds since 1970.") {
      $0.lastWritten.map { $0.milliseconds / 1000 }
    }
  }

  /// The bytes that were sent; what belongs to no camera, such as the element's script, has an empty name.
  private static func writeSent(_ visits: [String: Records.Now], cameras: [String], to writer: inout MetricsWriter) {
    writer.family(
      "sent_bytes_total", .counter, "Bytes sent to viewers, by kind of answer.",
      (cameras + [""]).flatMap { camera in
        AnswerKind.allCases.map { kind in
          ([("camera", camera), ("kind", kind.rawValue)], visits[camera]?.sent[kind] ?? 0)
        }
      })
  }

  private static func writeTimes(_ cameras: [Camera], _ doors: AccessLimits, to writer: inout MetricsWriter) {
    func histograms(_ name: String, _ help: String, _ histogram: (Camera) -> Histogram) {
      writer.histograms(name, help, cameras.map { ([("camera", $0.settings.name.text)], histogram($0)) })
    }
    histograms(
      "still_to_part_seconds", "From the arrival of a still to the publication of its part; the wait for it included."
    ) { $0.times.stillToPart }
    histograms("encode_seconds", "Making the pictures of a part: decoding, filtering and encoding.") {
      $0.times.encode
    }
    histograms("part_ready_seconds", "From the beginning of a slot until its part is ready to be published.") {
      $0.times.ready
    }
    histograms("fan_out_seconds", "From the publication of a part to each request that waited for it.") {
      $0.edge.fanOut
    }
    let sides = [("public", doors.answersAtPublic), ("private", doors.answersAtPrivate)]
    writer.histograms(
      "request_seconds", "From a request to the head of its answer, by listener and what was asked for.",
      sides.flatMap { door, answers in
        answers.times.map { ([("door", door), ("kind", $0.kind.rawValue)], $0.histogram) }
      })
    writer.family(
      "responses_total", .counter, "Answers, by listener and class of their status.",
      sides.flatMap { door, answers in
        answers.counted.enumerated().map { ([("door", door), ("code", "\($0.offset + 1)xx")], $0.element) }
      })
  }

  private static func write(_ load: LoadWatch.Report, to writer: inout MetricsWriter) {
    writer.family(
      "load_level", .gauge, "How far all cameras are stepped down; 0 for not at all.",
      [([], Int64(load.level.index))])
    writer.family(
      "load_steps_total", .counter, "Steps of all cameras to less and to more work for each still.",
      [([("to", "less")], load.downs), ([("to", "more")], load.ups)])
    writer.seconds(
      "encode_busy_seconds_total", "The time that all encode threads together worked.",
      nanoseconds: load.busyTime.milliseconds * 1_000_000)
    writer.family(
      "stills_put_off_total", .counter, "Stills that were put off to a later part because the work was late.",
      [([], load.putOff)])
  }

  private static func write(_ doors: DoorReport, to writer: inout MetricsWriter) {
    func bySide(_ name: String, _ kind: MetricsWriter.Kind, _ help: String, _ value: (DoorReport.Side) -> Int64) {
      writer.family(
        name, kind, help, [([("door", "public")], value(doors.public)), ([("door", "private")], value(doors.private))])
    }
    bySide("connections", .gauge, "Open connections, by listener.") { Int64($0.connections) }
    bySide("connections_turned_away_total", .counter, "Connections refused for the limits, by listener.") {
      $0.turnedAway
    }
    bySide("unreadable_requests_total", .counter, "Requests whose head or framing could not be read, by listener.") {
      $0.unreadable
    }
    writer.family(
      "wrong_tokens_total", .counter,
      "Wrong tokens and signatures that were checked, or refused without a check for their number.",
      [([("looked", "yes")], doors.wrongTokens.lookedAt), ([("looked", "no")], doors.wrongTokens.slowed)])
    writer.family(
      "waves_refused_total", .counter, "Waves refused because their visitor waves too often.",
      [([("door", "public")], doors.refusedWaves)])
    writer.family(
      "upload_bytes", .gauge, "Memory of stills that are being received.",
      [([("at", "now")], Int64(doors.uploads.bytes)), ([("at", "most")], Int64(doors.uploads.mostBytes))])
    writer.family(
      "uploads_without_room_total", .counter,
      "Stills refused because others that are being received use all the memory.",
      [([("door", "private")], doors.uploads.withoutRoom)])
  }
}
