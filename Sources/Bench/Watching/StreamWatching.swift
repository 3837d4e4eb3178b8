import Media
import Playlist

/// Plays a live stream as hls.js 1.6.15 does: multivariant playlist, media playlist, then reloads (blocking ones if the
/// server holds them, with delta updates) and, beside them and one after another, what they list.
///
/// The pattern was recorded from hls.js in Chromium: one reload and one fetch for each part, over two connections.
struct StreamWatching: Watching {
  /// The path of the multivariant playlist, or of a media playlist.
  let path: String
  /// The pictures of one segment, if the stream is counted by them and not by dates.
  let picturesPerSegment: Int?

  func watch(_ tab: Tab) async throws {
    let (mediaPath, first) = try await Self.open(path, tab)
    let loader = PieceLoader(tab: tab, picturesPerSegment: picturesPerSegment)
    let (pieces, queue) = AsyncStream.makeStream(of: PieceList.Piece.self, bufferingPolicy: .bufferingOldest(1024))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await piece in pieces { try await loader.load(piece) } }
      group.addTask {
        defer { queue.finish() }
        var list = PieceList(path: mediaPath)
        for piece in list.begin(first) { queue.yield(piece) }
        var newest = first
        var isChanged = true
        while true {
          let asked = ContinuousClock.now
          guard let next = try await Self.reload(mediaPath, after: newest, isChanged: isChanged, tab) else { continue }
          let new = list.take(next)
          for piece in new { queue.yield(piece) }
          (newest, isChanged) = (next, !new.isEmpty)
          // A server that does not hold requests must not be asked in a busy loop.
          if new.isEmpty, ContinuousClock.now - asked < .milliseconds(100) {
            try await Task.sleep(for: .milliseconds(200))
          }
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Loads the playlist at a path, and the first variant's if there are variants.
  static func open(_ path: String, _ tab: Tab) async throws -> (path: String, playlist: MediaPlaylist) {
    let first = try await tab.load(path, .playlist)
    guard let multivariant = try? MultivariantPlaylist.parse(first.body), let variant = multivariant.variants.first
    else {
      do { return (path, try MediaPlaylist.parse(first.body)) } catch {
        throw WireError.unreadable("\(error)", path: path)
      }
    }
    let mediaPath = resolve(variant.uri, from: path)
    return (mediaPath, try await tab.playlist(mediaPath))
  }

  /// The next version: held by the server, or after the wait that hls.js keeps between plain reloads (a target duration
  /// after a change, half of one otherwise; RFC 8216bis, section 6.3.4). `nil` if the server stopped holding the
  /// request.
  private static func reload(
    _ path: String, after newest: MediaPlaylist, isChanged: Bool, _ tab: Tab
  ) async throws -> MediaPlaylist? {
    if let query = newest.reloadQuery {
      do { return try await tab.playlist("\(path)?\(query)") } catch WireError.status(503, _) {
        try await Task.sleep(for: .seconds(1))
        return nil
      }
    }
    let target = Ticks.seconds(Int64(newest.targetDuration))
    try await Task.sleep(for: (isChanged ? target : Ticks(target.count / 2)).duration)
    return try await tab.playlist(path)
  }
}

/// Loads pieces one after another, each after its init segment if that is new.
actor PieceLoader {
  private let tab: Tab
  private let picturesPerSegment: Int?
  private var mapPath: String?

  init(tab: Tab, picturesPerSegment: Int?) {
    self.tab = tab
    self.picturesPerSegment = picturesPerSegment
  }

  func load(_ piece: PieceList.Piece) async throws {
    if let path = piece.mapPath, path != mapPath {
      let map = try await tab.load(path, .media)
      if map.isNew { tab.log?.add(initialization: map.body) }
      mapPath = path
    }
    let loaded = try await tab.load(piece.path, .media)
    guard loaded.isNew, let log = tab.log else { return }
    let begins: ViewLog.Beginning? =
      if let picturesPerSegment { .picture(piece.sequence * picturesPerSegment) } else { piece.date.map { .date($0) } }
    guard let begins else { return }
    log.add(ViewLog.Piece(bytes: loaded.body, begins: begins, duration: piece.duration, ended: loaded.ended))
  }
}
