import Media
import NIOCore

/// One viewer of a crowd: says what it requests next, from the answers that it gets. It knows no socket and no clock.
struct CrowdViewer: Sendable {
  /// What a viewer requests.
  struct Request: Hashable, Sendable {
    let path: String
    /// The value of `Range`, where it is a byte range of a larger resource.
    var range: String?
  }

  /// What comes next.
  enum Step: Sendable {
    /// A request, after a wait.
    case ask(Request, after: Ticks)
    /// Nothing, until something is announced.
    case wait
  }

  /// What an answer was, for counting.
  enum Kind: Sendable {
    case playlist
    /// A part, a segment or a picture.
    case media
  }

  private let way: CrowdWay
  private let path: String
  private let picture: String
  private var waiting: [PlaylistNews.Piece] = []
  private var last: (sequence: Int, part: Int)?
  private var reload: String?
  private var target = Ticks.seconds(6)
  /// The picture that was announced while another one was requested.
  private var announced: String?
  private var isWaiting = false
  /// What is requested now, or was last.
  private(set) var current: Request
  /// Its kind.
  private(set) var kind: Kind
  /// Whether no media have come yet. What comes first was there before the viewer, except for a segment that is being
  /// made.
  private(set) var isFirst: Bool

  /// A viewer of the playlist at `path`, or of the pictures beside it, with its first request.
  init(_ way: CrowdWay, path: String) {
    (self.way, self.path) = (way, path)
    picture = resolve("latest.jpg", from: path)
    let hasPlaylist = way != .polling && way != .photos
    current = Request(path: hasPlaylist ? path : picture)
    kind = hasPlaylist ? .playlist : .media
    isFirst = way != .frames
  }

  /// Whether all who request the same get the same bytes: `latest.jpg` is another picture from time to time.
  var isFinal: Bool { current.path != picture }

  /// A picture is announced, and its name where it is kept.
  ///
  /// - Returns: the request for it; `nil` where one is on its way, which it follows.
  mutating func announce(_ photo: String?) -> Request? {
    let wanted = photo.map { resolve($0, from: path) } ?? picture
    guard isWaiting else {
      announced = wanted
      return nil
    }
    isWaiting = false
    current = Request(path: wanted)
    return current
  }

  /// Takes the answer to the current request.
  ///
  /// - Parameters:
  ///   - next: what the answer's `Link` names.
  ///   - read: reads a playlist.
  /// - Throws: what `read` throws, and `AnswerScanner.Mistake` where the server has nothing for the way of watching.
  mutating func take(
    status: Int, next: String?, body: ByteBuffer, read: (ByteBuffer) throws -> PlaylistNews
  ) throws -> Step {
    if kind == .media, status == 200 || status == 206 { isFirst = false }
    switch way {
    case .polling: return ask(picture, .media, after: .seconds(2))
    case .photos:
      // A photo that is gone has been withdrawn, or has made room for others.
      if status == 404, isFinal { return ask(picture, .media) }
      return status == 200 ? goOnWithPhotos() : ask(picture, .media, after: .seconds(1))
    case .lowLatency, .plain, .frames: break
    }
    // 503: the server is busy. 404: what was listed is gone, or the chain of segments ended.
    guard status == 200 || status == 206 else {
      return ask(path, .playlist, after: status == 404 ? .zero : .seconds(1))
    }
    switch kind {
    case .playlist: return try note(try read(body))
    case .media:
      if way == .frames {
        guard let next else { return ask(path, .playlist) }
        return ask(resolve(next, from: current.path), .media)
      }
      return goOn()
    }
  }

  private mutating func note(_ news: PlaylistNews) throws -> Step {
    (reload, target) = (news.reload, news.target)
    switch way {
    case .frames:
      guard let open = news.open else {
        throw AnswerScanner.Mistake(
          description: "the playlist announces no segment that is being made; --way frames is for Quietcam's streams")
      }
      return ask(open, .media)
    case .plain: add(news.segments)
    // A server without parts has viewers of segments, who look as often as they may.
    case .lowLatency, .polling, .photos: add(news.parts.isEmpty ? news.segments : news.parts)
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
    if !waiting.isEmpty { return ask(waiting.removeFirst().request, .media) }
    if way == .lowLatency, let reload { return ask(reload, .playlist) }
    return ask(path, .playlist, after: way == .plain ? target : .seconds(1))
  }

  private mutating func goOnWithPhotos() -> Step {
    guard let announced else {
      isWaiting = true
      return .wait
    }
    self.announced = nil
    return ask(announced, .media)
  }

  private mutating func ask(_ path: String, _ kind: Kind, after wait: Ticks = .zero) -> Step {
    ask(Request(path: path), kind, after: wait)
  }

  private mutating func ask(_ request: Request, _ kind: Kind, after wait: Ticks = .zero) -> Step {
    (current, self.kind) = (request, kind)
    return .ask(request, after: wait)
  }
}
