import Media
import NIOConcurrencyHelpers

/// The tokens that an operator made while the server ran, beside those of the configuration.
///
/// They are in a text file of the store folder, one a line, with digests only; see `AddedToken.line`.
package final class AddedTokens: Sendable {
  /// The file's name in the store folder.
  package static let fileName = "tokens.txt"
  /// The most tokens; a person keeps track of no more.
  package static let most = 256

  private struct State {
    var tokens: [AddedToken] = []
    /// By what they open: what a request looks up.
    var digests: [AddedToken.Scope: [TokenDigest]] = [:]

    mutating func set(_ tokens: [AddedToken]) {
      self.tokens = tokens
      digests = Dictionary(grouping: tokens, by: \.scope).mapValues { $0.map(\.digest) }
    }
  }

  private let path: String?
  private let state = NIOLockedValueBox(State())
  /// Held while the file is written, so that two changes are made one after the other. Who only looks tokens up does not
  /// wait for the disk.
  private let writing = NIOLockedValueBox(())

  /// The tokens of a file; none where there is no file yet.
  ///
  /// - Parameter path: the file; `nil` to keep them in memory, until the process ends.
  /// - Throws: `AddedTokenError` if it cannot be read, with its line.
  package init(path: String?) throws(AddedTokenError) {
    self.path = path
    try read()
  }

  /// Reads the file anew. With a mistake in it all stays as it was.
  ///
  /// - Throws: `AddedTokenError` if it cannot be read, with its line.
  package func read() throws(AddedTokenError) {
    guard let path, let text = try AddedTokenFile.text(at: path) else { return }
    let tokens = try AddedTokenFile.tokens(of: text, path: path)
    state.withLockedValue { $0.set(tokens) }
  }

  /// All tokens, in the order in which they were made.
  package var all: [AddedToken] { state.withLockedValue { $0.tokens } }

  /// The digests of the tokens that open this.
  package func digests(_ scope: AddedToken.Scope) -> [TokenDigest] {
    state.withLockedValue { $0.digests[scope] ?? [] }
  }

  /// The token that opens this and matches one of the texts; every pair is compared.
  package func shown(_ texts: [String], for scope: AddedToken.Scope) -> AddedToken? {
    var found: AddedToken?
    for token in all where token.scope == scope {
      for text in texts where token.digest.matches(text) { found = token }
    }
    return found
  }

  /// Makes a token and writes it down; blocks for the disk.
  ///
  /// - Parameters:
  ///   - note: what it is for, in the operator's words; signs that end a line are left out.
  ///   - time: whole seconds since 1970.
  /// - Returns: the token, which is kept nowhere, and what is known of it.
  /// - Throws: `AddedTokenError` if there are too many, or it cannot be written; then it is not valid.
  package func make(_ scope: AddedToken.Scope, note: String, time: Int64) throws(AddedTokenError) -> (
    token: AccessToken, kept: AddedToken
  ) {
    let token = AccessToken()
    let kept = AddedToken(
      id: String(AccessToken().text.prefix(8)), scope: scope, made: time, digest: token.digest,
      note: AddedToken.cleaned(note))
    try change { tokens throws(AddedTokenError) in
      guard tokens.count < Self.most else {
        throw AddedTokenError("there are \(tokens.count) tokens already; revoke one that is no longer used")
      }
      tokens.append(kept)
    }
    return (token, kept)
  }

  /// Revokes a token; blocks for the disk.
  ///
  /// - Returns: the token, or `nil` if none has this id.
  /// - Throws: `AddedTokenError` if the file cannot be written; the token is revoked until the process ends.
  package func revoke(id: some StringProtocol) throws(AddedTokenError) -> AddedToken? {
    guard let token = all.first(where: { $0.id == id }) else { return nil }
    do throws(AddedTokenError) {
      try change { tokens throws(AddedTokenError) in tokens.removeAll { $0.id == token.id } }
    } catch {
      state.withLockedValue { state in state.set(state.tokens.filter { $0.id != token.id }) }
      throw error
    }
    return token
  }

  private func change(
    _ change: (inout [AddedToken]) throws(AddedTokenError) -> Void
  ) throws(AddedTokenError) {
    let failure: AddedTokenError? = writing.withLockedValue { _ in
      do throws(AddedTokenError) {
        var tokens = all
        try change(&tokens)
        if let path { try AddedTokenFile.write(tokens, to: path) }
        state.withLockedValue { [tokens] in $0.set(tokens) }
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
  }
}

/// Why the file of added tokens cannot be read or written, as one sentence.
package struct AddedTokenError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
