import Access
import Media
import NIOCore
import Packager
import Picture
import Station

/// The state of all cameras as JSON for operators and scripts.
package enum StatusReport {
  /// The JSON for these cameras at this moment.
  package static func render(_ cameras: [Camera], doors: AccessLimits, now: WallTime) -> ByteBuffer {
    let items = cameras.map { item(CameraReport($0, now: now)) }
    return ByteBuffer(
      string: "{\"time\":\"\(now.iso8601)\",\"cameras\":[\(items.joined(separator: ","))]"
        + ",\"doors\":\(DoorReport(doors).json)}\n")
  }

  private static func item(_ report: CameraReport) -> String {
    let counters = report.counters
    let refused = counters.refused.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\"\($0.key.rawValue)\":\($0.value)" }.joined(separator: ",")
    return "{\"camera\":\"\(report.name)\",\"newestSegment\":\(optional(report.newestSegment))"
      + ",\"source\":\"\(counters.source.rawValue)\",\"plainPlaylist\":\(counters.servesPlain)"
      + ",\"lastStill\":\(counters.lastStill.map { "\"\($0.iso8601)\"" } ?? "null")"
      + ",\"stillAgeMilliseconds\":\(optional(report.stillAge))"
      + ",\"stills\":{\"taken\":\(counters.taken),\"bytes\":\(counters.takenBytes),\"shown\":\(counters.shown)"
      + ",\"displaced\":\(counters.displaced),\"unseen\":\(counters.unseen),\"undecodable\":\(counters.undecodable),\"refused\":{\(refused)}}"
      + ",\"parts\":{\"count\":\(counters.parts),\"bytes\":\(counters.partBytes)}"
      + ",\"waiting\":{\"viewers\":\(report.viewersWaiting),\"listeners\":\(report.listenersWaiting)}"
      + ",\"waves\":\(counters.waves),\"storeFailures\":\(counters.storeFailures)}"
  }

  private static func optional(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "null" }
}
