import HTTPTypes
import NIOCore

/// The answers that a browser keeps and need not request again (RFC 9111): freshness by `max-age`, and validators. The
/// compared servers send nothing else.
struct BrowserCache {
  /// How a request must be made.
  enum Decision {
    /// The answer is in the cache; for a playlist with its body.
    case fresh(ByteBuffer)
    /// With these fields; 304 means the body in the cache.
    case ask([(String, String)])
  }

  private struct Entry {
    let body: ByteBuffer
    let etag: String?
    let modified: String?
    var freshUntil: ContinuousClock.Instant
  }

  private var entries: [String: Entry] = [:]

  /// How to request a path at that moment.
  func decide(_ path: String, at now: ContinuousClock.Instant) -> Decision {
    guard let entry = entries[path] else { return .ask([]) }
    if now < entry.freshUntil { return .fresh(entry.body) }
    return .ask(
      [("If-None-Match", entry.etag), ("If-Modified-Since", entry.modified)].compactMap { name, value in
        value.map { (name, $0) }
      })
  }

  /// The body of an answer that was not sent again.
  func body(of path: String) -> ByteBuffer? { entries[path]?.body }

  /// Takes an answer. For media, only the fact is kept: a viewer who requests it again has seen it.
  mutating func store(_ path: String, _ answer: WireAnswer, kind: BodyKind, body: ByteBuffer) {
    let control = (answer.fields[.cacheControl] ?? "").lowercased().split(separator: ",")
      .map { $0.filter { $0 != " " } }
    guard !control.contains("no-store"), !path.contains("?") || !control.contains("no-cache") else { return }
    let age = control.first { $0.hasPrefix("max-age=") }.flatMap { Int64($0.dropFirst(8)) } ?? 0
    let freshUntil = answer.ended + .seconds(control.contains("no-cache") ? 0 : age)
    if answer.status == 304 {
      entries[path]?.freshUntil = freshUntil
    } else if answer.status == 200 {
      entries[path] = Entry(
        body: kind == .playlist ? body : ByteBuffer(), etag: answer.fields[.eTag],
        modified: answer.fields[.lastModified], freshUntil: freshUntil)
    }
  }
}
