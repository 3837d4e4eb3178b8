import Media
import NIOCore

/// One viewer of a crowd: says what it requests next, from the answers that it gets. It knows no socket and no clock.
struct CrowdViewer: Sendable {
  /// What comes next.
  enum Step: Sendable {
    /// A request, after a wait.
    case ask(String, after: Ticks)
  }

  /// What an answer was, for counting.
  enum Kind: Sendable {
    case playlist
    /// A part, a segment or a picture.
    case media
  }

  private enum Asked { case playlist, media }

  private let way: CrowdWay
  private let path: String
  private let picture: String
  private var asked = Asked.playlist
  private var waiting: [PlaylistNews.Piece] = []
  private var last: (sequence: Int, part: Int)?
  private var reload: String?
  private var target = Ticks.seconds(6)
  /// What is requested now.
  private(set) var current = ""

  /// A viewer of the playlist at `path`, or of the picture beside it.
  init(_ way: CrowdWay, path: String) {
    (self.way, self.path) = (way, path)
    picture = resolve("latest.jpg", from: path)
  }

  /// The kind of what is requested now.
  var kind: Kind { asked == .playlist ? .playlist : .media }

  /// The first request.
  mutating func begin() -> String {
    if way == .polling { asked = .media } else { asked = .playlist }
    current = way == .polling ? picture : path
    return current
  }

  /// Takes the answer to the current request.
  ///
  /// - Parameters:
  ///   - next: what the answer's `Link` names.
  ///   - read: reads a playlist.
  /// - Throws: what `read` throws.
  mutating func take(
    status: Int, next: String?, body: ByteBuffer, read: (ByteBuffer) throws -> PlaylistNews
  ) rethrows -> Step {
    if way == .polling { return ask(picture, .media, after: .seconds(2)) }
    // 503: the server is busy. 404: what was listed is gone, or the chain of segments ended.
    guard status == 200 else { return ask(path, .playlist, after: status == 404 ? .zero : .seconds(1)) }
    switch asked {
    case .playlist:
      let news = try read(body)
      return note(news)
    case .media:
      if way == .frames {
        guard let next else { return ask(path, .playlist, after: .zero) }
        return ask(resolve(next, from: current), .media)
      }
      return goOn()
    }
  }

  private mutating func note(_ news: PlaylistNews) -> Step {
    (reload, target) = (news.reload, news.target)
    switch way {
    case .frames:
      guard let open = news.open else { return ask(path, .playlist, after: .seconds(1)) }
      return ask(open, .media)
    case .plain: add(news.segments)
    case .lowLatency, .polling: add(news.parts)
    }
    return goOn()
  }

  private mutating func add(_ pieces: [PlaylistNews.Piece]) {
    guard let last else {
      // A viewer that joins begins with the newest.
      waiting = pieces.suffix(1)
      self.last = pieces.last.map { ($0.sequence, $0.part) }
      return
    }
    let new = pieces.reversed().prefix { ($0.sequence, $0.part) > last }
    waiting += new.reversed()
    if let end = pieces.last, (end.sequence, end.part) > last { self.last = (end.sequence, end.part) }
  }

  private mutating func goOn() -> Step {
    if !waiting.isEmpty { return ask(waiting.removeFirst().path, .media) }
    if way == .lowLatency, let reload { return ask(reload, .playlist) }
    return ask(path, .playlist, after: way == .plain ? target : .seconds(1))
  }

  private mutating func ask(_ path: String, _ kind: Asked, after wait: Ticks = .zero) -> Step {
    (current, asked) = (path, kind)
    return .ask(path, after: wait)
  }
}
