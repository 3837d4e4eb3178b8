import HTTPTypes
import Media
import NIOCore
import Playlist

/// One viewer: a browser's tab with its connections, its cache, and a record of what it was shown, if its picture is
/// compared.
actor Tab {
  /// A loaded resource, from the network or from the cache.
  struct Loaded: Sendable {
    /// No longer compressed.
    let body: ByteBuffer
    /// Whether it came from the network just now, not from the cache.
    let isNew: Bool
    let began: ContinuousClock.Instant
    let ended: ContinuousClock.Instant
  }

  /// What it was shown; `nil` if its picture is not compared.
  nonisolated let log: ViewLog?
  nonisolated let client: WireClient
  private var cache = BrowserCache()
  private var dictionaries = BrowserDictionaries()

  init(client: WireClient, log: ViewLog?) { (self.client, self.log) = (client, log) }

  /// Loads as a page does: from the cache, with a condition, or in full.
  ///
  /// - Throws: `WireError` for any other status than 200 and 304.
  func load(
    _ path: String, _ kind: BodyKind, by initiator: RequestHeaders.Initiator = .script
  ) async throws -> Loaded {
    let now = ContinuousClock.now
    var conditions: [(String, String)] = []
    switch cache.decide(path, at: now) {
    case .fresh(let body): return Loaded(body: body, isNew: false, began: now, ended: now)
    case .ask(let fields): conditions = fields
    }
    let dictionary = dictionaries.newest(for: path, at: now)
    if let dictionary { conditions.append((WireDictionary.field, dictionary.name)) }
    let answer = try await client.get(path, kind, by: initiator, extra: conditions)
    guard answer.status == 200 || answer.status == 304 else { throw WireError.status(answer.status, path: path) }
    var body = answer.body
    if answer.status == 200 {
      let coding = WireCoding(answer.fields[.contentEncoding] ?? "")
      guard let plain = coding.content(of: body, dictionary: dictionary) else {
        throw WireError.unreadable("it is not \(coding.name), as its Content-Encoding says", path: path)
      }
      body = plain
      dictionaries.take(path, answer, body: body)
    }
    cache.store(path, answer, kind: kind, body: body)
    if answer.status == 304 { body = cache.body(of: path) ?? ByteBuffer() }
    return Loaded(body: body, isNew: answer.status == 200, began: answer.began, ended: answer.ended)
  }

  /// Whether the cache answers for a path.
  func isFresh(_ path: String) -> Bool {
    if case .fresh = cache.decide(path, at: .now) { true } else { false }
  }

  /// Keeps a media answer in the cache.
  func keep(_ path: String, _ answer: WireAnswer) { cache.store(path, answer, kind: .media, body: ByteBuffer()) }

  /// Loads a media playlist.
  func playlist(_ path: String) async throws -> MediaPlaylist {
    let loaded = try await load(path, .playlist)
    do { return try MediaPlaylist.parse(loaded.body) } catch {
      throw WireError.unreadable("\(error)", path: path)
    }
  }
}

/// The path of an address in a playlist or page, given that one's own path (RFC 3986, section 5.2, for paths).
func resolve(_ uri: String, from path: String) -> String {
  if uri.hasPrefix("/") { return uri }
  var folders = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropLast()
  var pieces = uri.split(separator: "/", omittingEmptySubsequences: false)[...]
  while let first = pieces.first, first == ".." || first == "." {
    if first == "..", folders.count > 1 { folders.removeLast() }
    pieces.removeFirst()
  }
  return (folders + pieces).joined(separator: "/")
}
