import HTTPTypes
import Media
import NIOCore
import Packager
import Station

/// A request for a playlist or for media of one camera: what there is to send, and for what it has to wait.
///
/// It waits for nothing itself. Both ways of the public door ask it: the one within a connection's event loop, and
/// Hummingbird's.
struct StreamRequest: Sendable {
  /// The content type of playlists (RFC 8216, section 4).
  static let playlistType = "application/vnd.apple.mpegurl"

  /// What is asked for.
  enum Resource: Sendable {
    /// The multivariant playlist.
    case multivariant
    /// The media playlist with parts, with the query of the request.
    case media(query: Substring)
    /// An init segment, a segment or a part.
    case file(String)
  }

  /// What comes next.
  enum Step: Sendable {
    /// This is sent.
    case answer(WholeAnswer)
    /// The request waits for a part.
    case wait(Wait)
    /// The segment is being made, and is sent as it grows.
    case grow(OpenSegment)
  }

  /// A wait for a part, at most for `patience`.
  struct Wait: Sendable {
    let position: PartPosition
    let patience: Duration
    fileprivate let reload: BlockingReload?
  }

  let camera: Camera
  let resource: Resource
  let asked: AskedForm

  /// The first step.
  func begin() -> Step {
    switch resource {
    case .multivariant:
      guard let snapshot = camera.edge.snapshot else { return .answer(notReady) }
      return .answer(
        Reply.text(asked, snapshot.multivariant, type: Self.playlistType, caching: .seconds(60)))
    case .media(let query): return playlist(query)
    case .file(let name): return file(name)
    }
  }

  /// The answer after a wait.
  func answer(after wait: Wait, _ outcome: LiveEdge.Outcome) -> WholeAnswer {
    switch resource {
    case .file(let name):
      if let bytes = camera.edge.media(named: name) { return media(name, bytes) }
      // If its segment ended before it, or was withdrawn, it never comes.
      if case .published = outcome { return notFound }
      return notReady
    case .media, .multivariant:
      guard let reload = wait.reload, case .published(let snapshot) = outcome else { return notReady }
      return playlist(reload, snapshot, .seconds(6 * camera.settings.timeline.targetDuration))
    }
  }

  /// What is said where there is nothing.
  var notFound: WholeAnswer { Reply.error(asked, .notFound, "notFound", Reply.nothingThere) }

  /// What is said where nothing new can be sent.
  var notReady: WholeAnswer {
    Reply.error(
      asked, .serviceUnavailable, "notReady", "there is nothing new to send yet; try again",
      fields: [.retryAfter: "1"])
  }

  /// What is said where an address waits for too much already.
  var tooManyWait: WholeAnswer {
    Reply.error(
      asked, .serviceUnavailable, "tooManyWaiting",
      "too many requests from your address wait for what comes next; end some, or try again in a while",
      fields: [.retryAfter: "5"])
  }

  /// The answer with the playlist without parts.
  static func plain(_ asked: AskedForm, _ playlist: EncodedText, of camera: Camera) -> WholeAnswer {
    let seconds = max(1, camera.settings.timeline.plain.targetDuration / 2)
    return Reply.text(asked, playlist, type: playlistType, caching: .seconds(seconds))
  }

  // MARK: Playlists

  /// The media playlist with parts, at once or when it lists what a blocking reload asks for (rfc8216bis, section
  /// 6.2.5.2).
  private func playlist(_ query: Substring) -> Step {
    guard let newest = camera.edge.snapshot, let furthest = camera.edge.furthest else { return .answer(notReady) }
    let timeline = camera.settings.timeline
    // What is not asked for by its number must not be cached longer than it is the newest, but for a second: a cache that
    // holds equal requests back and can keep nothing lets its viewers in one after another.
    let passing = Reply.Caching.seconds(max(1, Int(timeline.part.count / Ticks.perSecond)))
    do throws(BlockingReload.Refusal) {
      let reload = try BlockingReload(query: query)
      guard !reload.isEmpty else {
        var answer = Reply.text(asked, newest.media, type: Self.playlistType, caching: passing)
        answer.fields[.timingAllowOrigin] = "*"
        return .answer(answer)
      }
      guard let target = try reload.target(newest: furthest.position, timeline: timeline) else {
        // Without a number the answer changes with each part, like that to a plain request.
        let caching = reload.sequence == nil ? passing : .seconds(6 * timeline.targetDuration)
        return .answer(playlist(reload, furthest, caching))
      }
      return .wait(Wait(position: target, patience: (timeline.segment * 3).duration, reload: reload))
    } catch {
      return .answer(Reply.error(asked, .badRequest, "badDirective", error.detail))
    }
  }

  private func playlist(_ reload: BlockingReload, _ snapshot: PlaylistSnapshot, _ caching: Reply.Caching) -> WholeAnswer
  {
    let playlist = reload.takesDelta ? snapshot.delta ?? snapshot.media : snapshot.media
    return Reply.text(
      asked, playlist, type: Self.playlistType, tellsTag: reload.sequence == nil, caching: caching)
  }

  // MARK: Media

  /// A segment, a part or an init segment; one that is being made is answered as it grows, a hinted part when it is
  /// complete.
  private func file(_ name: String) -> Step {
    // What is hinted is read before the media: what is published between the two is then found.
    let hinted = camera.edge.hinted(named: name)
    let open = camera.edge.openSegment(named: name)
    if let bytes = camera.edge.media(named: name) { return .answer(media(name, bytes)) }
    if let open { return .grow(open) }
    guard let hinted else { return .answer(notFound) }
    // The hinted part can be requested before it exists; the answer begins when it is complete.
    return .wait(Wait(position: hinted, patience: patience, reload: nil))
  }

  /// How long a part of a segment may take to come.
  var patience: Duration { (camera.settings.timeline.segment * 3).duration }

  /// The answer with a file.
  func media(_ name: String, _ bytes: ByteBuffer) -> WholeAnswer {
    var answer = Reply.resource(
      asked, bytes: bytes, type: "video/mp4", etag: Reply.mediaTag(name), tellsTag: !SegmentName.isPart(name),
      caching: .forever)
    if answer.status.kind == .successful {
      answer.fields.append(
        contentsOf: OpenSegmentAnswer.fields(of: name, date: camera.edge.date(ofSegment: name)))
    }
    return answer
  }
}
