/// The sessions of operators that have shown their token, by the digest of their ids.
///
/// A session ends when it is ended, when it was not used for `idle`, and at the latest after `longest`. The table has a
/// fixed size: one more session ends the one that was unused for longest.
package struct SessionTable: Sendable {
  /// How long a session can be unused, in milliseconds: a working day.
  package static let idle: Int64 = 12 * 3_600_000
  /// How long a session can last, in milliseconds.
  package static let longest: Int64 = 7 * 24 * 3_600_000

  private struct Session: Sendable {
    let begin: Int64
    var used: Int64
    /// The id of the added token that it was begun with; empty for the operator's own.
    let token: String

    func isOver(_ now: Int64) -> Bool { now - begin >= SessionTable.longest || now - used >= SessionTable.idle }
  }

  private var sessions: [TokenDigest: Session] = [:]
  private let most: Int

  /// - Parameter most: how many sessions there can be.
  package init(most: Int = 64) { self.most = most }

  /// How many sessions have not ended.
  package func count(now: Int64) -> Int { sessions.values.count { !$0.isOver(now) } }

  /// Begins a session.
  ///
  /// - Parameters:
  ///   - token: the id of the added token that was shown; empty for the operator's own.
  ///   - now: milliseconds of a clock that does not step back.
  /// - Returns: its id, 128 random bits as 32 hexadecimal digits. Only the digest is kept.
  package mutating func begin(with token: String = "", now: Int64) -> String {
    sessions = sessions.filter { !$0.value.isOver(now) }
    if sessions.count >= most, let oldest = sessions.min(by: { $0.value.used < $1.value.used }) {
      sessions[oldest.key] = nil
    }
    let id = AccessToken()
    sessions[id.digest] = Session(begin: now, used: now, token: token)
    return id.text
  }

  /// Whether this is the id of a session that has not ended; it counts as used now.
  package mutating func admits(_ id: some StringProtocol, now: Int64) -> Bool {
    let digest = TokenDigest(of: id)
    guard var session = sessions[digest] else { return false }
    guard !session.isOver(now) else {
      sessions[digest] = nil
      return false
    }
    session.used = max(session.used, now)
    sessions[digest] = session
    return true
  }

  /// Ends a session; nothing happens if there is none with this id.
  package mutating func end(_ id: some StringProtocol) { sessions[TokenDigest(of: id)] = nil }

  /// Ends the sessions that were begun with a token that is no longer valid.
  package mutating func endAll(with token: String) { sessions = sessions.filter { $0.value.token != token } }
}
