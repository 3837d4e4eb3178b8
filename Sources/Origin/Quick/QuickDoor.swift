import Access
import HTTPTypes
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHPACK
import Packager
import Records
import Station

/// The public listener's answers that are made on the connection's event loop, without waiting and without a task:
/// playlists and media of cameras that everybody can see. All else is Hummingbird's.
///
/// A reload replaces it as a whole.
final class QuickDoor: Sendable {
  /// A request that waits for a part.
  struct Waiting: Sendable {
    let stream: StreamRequest
    let wait: StreamRequest.Wait
    /// What the same requests have in common.
    let key: ByteBuffer
    let counting: PreparedAnswer.Counting
    let family: BrowserFamily?
    let client: ClientAddress
    let place: WaitLimit.Place
  }

  /// A request for a segment that is being made.
  struct Growing: Sendable {
    let stream: StreamRequest
    var segment: OpenSegment
    let name: String
    let counting: PreparedAnswer.Counting
    let client: ClientAddress
    let place: WaitLimit.Place
  }

  /// What to do with a request.
  enum Reply: Sendable {
    /// This is sent.
    case answer(PreparedAnswer, family: BrowserFamily?, client: ClientAddress)
    /// It waits for a part.
    case waiting(Waiting)
    /// It is answered as the segment grows.
    case growing(Growing)
    /// It is Hummingbird's.
    case other
  }

  /// The most texts of `User-Agent` whose family is remembered.
  private static let mostFamilies = 256
  private static let doors = NIOLockedValueBox(0)

  /// No other door of this process has the same.
  private let number = doors.withLockedValue { doors in
    doors += 1
    return doors
  }
  private let cameras: [String: Camera]
  private let site: SitePolicy
  private let proxies: TrustedProxies
  private let limits: AccessLimits
  private let records: Records
  private let families = NIOLockedValueBox<[ByteBuffer: BrowserFamily?]>([:])

  init(
    cameras: [Camera], doors: [CameraName: DoorSettings], site: SitePolicy, limits: AccessLimits, records: Records,
    proxies: TrustedProxies
  ) {
    let open = cameras.filter { (doors[$0.name] ?? .closed).access == .open }
    self.cameras = Dictionary(uniqueKeysWithValues: open.map { ($0.name.text, $0) })
    (self.site, self.limits, self.records, self.proxies) = (site, limits, records, proxies)
  }

  // MARK: Requests

  /// What to do with a request by HTTP/1.1.
  ///
  /// - Parameters:
  ///   - bytes: those that the head was read from.
  ///   - peer: the other end of the connection.
  func reply(to head: QuickHead, in bytes: ByteBuffer, peer: ClientAddress) -> Reply {
    guard let name = head.folder(in: bytes), let camera = cameras[name] else { return .other }
    var key = ByteBufferAllocator().buffer(capacity: 256)
    head.writeKey(in: bytes, to: &key)
    let isProxied = head.has(.xForwardedFor) || head.has(.forwarded)
    let client = isProxied ? client(head.fields([.xForwardedFor, .forwarded], in: bytes), peer: peer) : peer
    let (kept, version) = camera.edge.answer(for: key)
    if let kept = mine(kept), !kept.counting.isPlain {
      return .answer(kept, family: kept.counting.pause == nil ? nil : family(head, in: bytes), client: client)
    }
    guard let target = head.target(in: bytes), let (_, route) = route(target[...]) else { return .other }
    let family = route.isPlaylist ? family(head, in: bytes) : nil
    return reply(
      Question(
        camera: camera, route: route, key: key, version: version, isHead: head.isHead, family: family, client: client),
      head.asked(in: bytes))
  }

  /// What to do with a request by HTTP/2.
  ///
  /// - Parameter peer: the other end of the connection.
  func reply(to head: StreamHead, peer: ClientAddress) -> Reply {
    guard let name = head.folder, let camera = cameras[String(name)] else { return .other }
    var key = ByteBufferAllocator().buffer(capacity: 256)
    head.writeKey(to: &key)
    let isProxied = head.has(.xForwardedFor) || head.has(.forwarded)
    let client = isProxied ? client(head.fields([.xForwardedFor, .forwarded]), peer: peer) : peer
    let (kept, version) = camera.edge.answer(for: key)
    if let kept = mine(kept), !kept.counting.isPlain {
      return .answer(kept, family: kept.counting.pause == nil ? nil : family(head), client: client)
    }
    guard let (_, route) = route(head.target[...]) else { return .other }
    let family = route.isPlaylist ? family(head) : nil
    return reply(
      Question(
        camera: camera, route: route, key: key, version: version, isHead: head.isHead, family: family, client: client),
      head.asked)
  }

  private func mine(_ kept: (any AnyObject & Sendable)?) -> PreparedAnswer? {
    guard let kept = kept as? PreparedAnswer, kept.maker == number else { return nil }
    return kept
  }

  private struct Question {
    let camera: Camera
    let route: Route
    let key: ByteBuffer
    let version: Int
    let isHead: Bool
    let family: BrowserFamily?
    let client: ClientAddress
  }

  private func reply(_ question: Question, _ asked: @autoclosure () -> AskedForm) -> Reply {
    let (camera, edge, key) = (question.camera, question.camera.edge, question.key)
    if case .plain = question.route {
      // It is made for as long as somebody asks for it.
      guard camera.plainPlaylistNow() != nil else { return .other }
    }
    guard edge.snapshot != nil else { return .other }
    let counting = counting(question)
    func finished(_ answer: WholeAnswer) -> Reply {
      let prepared = prepare(answer, counting)
      if Self.isKept(answer), !counting.isPlain {
        edge.keep(prepared, bytes: prepared.ownBytes, for: key, version: question.version)
      }
      return .answer(prepared, family: question.family, client: question.client)
    }
    guard let resource = question.route.resource else {
      guard let playlist = edge.plain else { return .other }
      return finished(StreamRequest.plain(asked(), playlist, of: camera))
    }
    let stream = StreamRequest(camera: camera, resource: resource, asked: asked())
    switch stream.begin() {
    case .answer(let answer): return finished(answer)
    case .wait(let wait):
      guard let place = limits.waits.enter(question.client) else { return finished(stream.tooManyWait) }
      return .waiting(
        Waiting(
          stream: stream, wait: wait, key: key, counting: counting, family: question.family, client: question.client,
          place: place))
    case .grow(let segment):
      guard case .file(let name) = resource, !question.isHead, let place = limits.waits.enter(question.client) else {
        return .other
      }
      return .growing(
        Growing(
          stream: stream, segment: segment, name: name, counting: counting, client: question.client, place: place))
    }
  }

  /// The answer to a request that has waited.
  func answer(_ waiting: Waiting, _ outcome: LiveEdge.Outcome) -> PreparedAnswer {
    let edge = waiting.stream.camera.edge
    if case .published(let snapshot) = outcome { edge.wentOn(with: snapshot) }
    let (kept, version) = edge.answer(for: waiting.key)
    if case .published = outcome, let kept = mine(kept) { return kept }
    let answer = waiting.stream.answer(after: waiting.wait, outcome)
    let prepared = prepare(answer, waiting.counting)
    // Something else may have been published since it was woken: a withdrawal must not be outlived by what it ended.
    if case .published(let snapshot) = outcome, Self.isKept(answer), edge.isNewest(snapshot) {
      edge.keep(prepared, bytes: prepared.ownBytes, for: waiting.key, version: version)
    }
    return prepared
  }

  /// The head of the answer with a segment that is being made, as HTTP/1.1 writes it.
  func head(_ growing: Growing) -> ByteBuffer { PreparedAnswer.chunkedHead(fields(growing)) }

  /// The same head for HTTP/2, and how many bytes it is counted as: those that it has by HTTP/1.1.
  func headers(_ growing: Growing) -> (headers: HPACKHeaders, bytes: Int) {
    let fields = fields(growing)
    return (PreparedAnswer.headers(.ok, fields), PreparedAnswer.chunkedHead(fields).readableBytes)
  }

  private func fields(_ growing: Growing) -> HTTPFields {
    let date = growing.stream.camera.edge.date(ofSegment: growing.name)
    var fields = OpenSegmentAnswer.head(of: growing.name, date: date)
    site.mark(&fields)
    fields[.date] = HTTPDate.now()
    return fields
  }

  /// Counts the head of an answer that was sent, and what was sent of its body.
  func sent(_ growing: Growing, head: Int = 0, bytes: Int, after duration: Duration? = nil) {
    let counting = growing.counting
    if let duration { limits.answersAtPublic.add(counting.times, status: 200, after: duration) }
    records.traffic.add(head + bytes, counting.kind, camera: counting.camera.text)
  }

  /// Nothing of a segment can be sent.
  func nothing(_ growing: Growing) -> PreparedAnswer { prepare(growing.stream.notReady, growing.counting) }

  /// Counts an answer that was sent.
  ///
  /// - Parameter count: of its bytes.
  func sent(
    _ answer: PreparedAnswer, count: Int, family: BrowserFamily?, client: ClientAddress, after duration: Duration
  ) {
    let (status, counting) = (answer.answer.status, answer.counting)
    limits.answersAtPublic.add(counting.times, status: status.code, after: duration)
    let isError = status.kind == .clientError || status.kind == .serverError
    records.traffic.add(count, isError ? .other : counting.kind, camera: counting.camera.text)
    guard !isError, let family, let pause = counting.pause else { return }
    records.asked(address: client.key, family: family, camera: counting.camera, pause: pause)
  }

  // MARK: Parts of a request

  private enum Route {
    case multivariant, plain
    case media(query: Substring)
    case file(String)

    var isPlaylist: Bool { if case .file = self { false } else { true } }

    /// What the stream is asked for; `nil` for the playlist without parts.
    var resource: StreamRequest.Resource? {
      switch self {
      case .multivariant: .multivariant
      case .plain: nil
      case .media(let query): .media(query: query)
      case .file(let name): .file(name)
      }
    }
  }

  /// The camera and what is asked of it.
  ///
  /// - Parameter target: of signs that stand for themselves.
  private func route(_ target: Substring) -> (Camera, Route)? {
    let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
    let path = target[..<mark].utf8.dropFirst()
    guard let slash = path.firstIndex(of: UInt8(ascii: "/")),
      let camera = cameras[String(target[path.startIndex..<slash])]
    else { return nil }
    let file = target[target.utf8.index(after: slash)..<mark]
    switch file {
    case "live.m3u8":
      return (camera, .media(query: mark == target.endIndex ? "" : target[target.utf8.index(after: mark)...]))
    case "index.m3u8": return (camera, .multivariant)
    case "plain.m3u8": return (camera, .plain)
    case _ where file.hasSuffix(".mp4") && !file.utf8.contains(UInt8(ascii: "/")) && mark == target.endIndex:
      return (camera, .file(String(file)))
    default: return nil
    }
  }

  private func counting(_ question: Question) -> PreparedAnswer.Counting {
    let timeline = question.camera.settings.timeline
    let (kind, times, target): (AnswerKind, AnswerTimes.Kind, Int?) =
      switch question.route {
      case .file: (.media, .media, nil)
      case .multivariant: (.playlist, .playlist, nil)
      case .plain: (.playlist, .playlist, timeline.plain.targetDuration)
      case .media(let query): (.playlist, query.contains("_HLS_msn=") ? .reload : .playlist, timeline.targetDuration)
      }
    let isPlain = if case .plain = question.route { true } else { false }
    return PreparedAnswer.Counting(
      camera: question.camera.name, kind: kind, times: times, isPlain: isPlain,
      pause: question.isHead ? nil : target.map { Watching.pause(targetDuration: $0) })
  }

  /// The fields in which a browser says that it is not to be counted.
  private static let wishes: [QuickHead.Field] = [.secGPC, .doNotTrack, .secPurpose, .purpose, .xMoz, .xPurpose]

  /// The family of a viewer's browser; `nil` for whom nobody counts.
  private func family(_ head: QuickHead, in bytes: ByteBuffer) -> BrowserFamily? {
    guard !head.isHead, let agent = head.bytes(.userAgent, in: bytes) else { return nil }
    let wishes = Self.wishes
    if wishes.contains(where: { head.has($0) }), !Watching.counts(head.fields(wishes, in: bytes)) { return nil }
    return family(agent)
  }

  private func family(_ head: StreamHead) -> BrowserFamily? {
    guard !head.isHead, let agent = head[.userAgent] else { return nil }
    let wishes = Self.wishes
    if wishes.contains(where: { head.has($0) }), !Watching.counts(head.fields(wishes)) { return nil }
    return family(ByteBuffer(string: agent))
  }

  private func family(_ agent: ByteBuffer) -> BrowserFamily? {
    guard records.countsVisitors else { return nil }
    return families.withLockedValue { families in
      if let known = families[agent] { return known }
      let family = BrowserFamily(userAgent: String(buffer: agent))
      if families.count >= Self.mostFamilies { families.removeAll() }
      families[ByteBuffer(bytes: agent.readableBytesView)] = .some(family)
      return family
    }
  }

  private func client(_ fields: HTTPFields, peer: ClientAddress) -> ClientAddress {
    Visitor(fields, client: peer, proxies: proxies).client
  }

  private func prepare(_ answer: WholeAnswer, _ counting: PreparedAnswer.Counting) -> PreparedAnswer {
    var answer = answer
    site.mark(&answer.fields)
    return PreparedAnswer(answer, counting, maker: number)
  }

  /// Whether an answer stays the same until something else is published, and is asked for by many.
  private static func isKept(_ answer: WholeAnswer) -> Bool { answer.status == .ok || answer.status == .notModified }
}
