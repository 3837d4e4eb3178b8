import Media
import NIOCore

/// What the viewers of one event loop saw.
struct CrowdTally: ConnectionTally, Sendable {
  /// The names of media whose bytes are remembered for comparing.
  private static let keptNames = 64

  /// Connections that are open.
  var connected = 0
  /// Viewers that came, those that got their first media, and those that left before the end.
  var (came, joined, left) = (0, 0, 0)
  /// Connections that the server closed between two answers and that were opened again.
  var reopened = 0
  /// Microseconds from a viewer's coming to the first media.
  private(set) var firstMedia: [Int64] = []
  /// How long a part is, where the server holds requests until the next one is there.
  private(set) var part: Ticks?
  /// Complete answers, and bytes as they came from the sockets.
  private(set) var (playlists, media, bytes) = (0, 0, 0)
  /// Answers with another status than 200, 206 and 304, by status.
  private(set) var refused: [Int: Int] = [:]
  /// What went wrong, and how often.
  private(set) var mistakes: [String: Int] = [:]
  /// When each viewer had each part: nanoseconds of the monotonic clock, by name.
  private(set) var arrivals: [String: [Int64]] = [:]
  private var bodies: [String: ByteBuffer] = [:]
  private var order: [String] = []
  private var news: [ByteBuffer: PlaylistNews] = [:]

  mutating func add(bytes count: Int) { bytes += count }

  mutating func note(_ mistake: String) { mistakes[mistake, default: 0] += 1 }

  /// A viewer got its first media, so long after it came.
  mutating func join(after time: Int64) {
    joined += 1
    firstMedia.append(time)
  }

  /// Counts an answer, and compares media with what other viewers got under the name.
  ///
  /// - Parameters:
  ///   - isFinal: whether all get the same bytes under the name.
  ///   - isFirst: whether it was there before the viewer came, and says nothing of how late anybody had it.
  mutating func add(
    _ kind: CrowdViewer.Kind, status: Int, name: String, body: ByteBuffer, isFinal: Bool, isFirst: Bool = false,
    at now: Int64
  ) {
    guard status == 200 || status == 206 || status == 304 else {
      refused[status, default: 0] += 1
      return
    }
    guard kind == .media else {
      playlists += 1
      return
    }
    media += 1
    guard isFinal else { return }
    if !isFirst { arrivals[name, default: []].append(now) }
    if let first = bodies[name] {
      if first != body { note("\(name) had other bytes for another viewer") }
      return
    }
    bodies[name] = body
    order.append(name)
    if order.count > Self.keptNames { bodies[order.removeFirst()] = nil }
  }

  /// Reads a playlist, once for all that have the same bytes.
  mutating func read(_ body: ByteBuffer, path: String, host: String, coding: WireCoding) throws -> PlaylistNews {
    if let known = news[body] { return known }
    guard let text = coding.content(of: body) else {
      throw AnswerScanner.Mistake(description: "a playlist is not \(coding.name), as its Content-Encoding says")
    }
    let read = try PlaylistNews(text, path: path, host: host)
    if read.reload != nil { part = read.part }
    if news.count > 32 { news.removeAll() }
    news[body] = read
    return read
  }

  /// Joins what another loop saw.
  mutating func add(_ other: CrowdTally) {
    connected += other.connected
    came += other.came
    joined += other.joined
    left += other.left
    reopened += other.reopened
    firstMedia += other.firstMedia
    part = part ?? other.part
    playlists += other.playlists
    media += other.media
    bytes += other.bytes
    refused.merge(other.refused, uniquingKeysWith: +)
    mistakes.merge(other.mistakes, uniquingKeysWith: +)
    arrivals.merge(other.arrivals, uniquingKeysWith: +)
  }
}
