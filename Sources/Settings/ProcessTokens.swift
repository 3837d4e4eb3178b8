import Access

/// The secrets that a process draws for itself. They stay the same when it reads its settings anew.
package struct ProcessTokens: Sendable {
  /// The demo camera's token, which nobody else knows.
  package let demo = AccessToken()
  /// The digest of a token that nobody knows: of cameras whose stills are not pushed.
  package let unknown = AccessToken().digest

  /// Newly drawn ones.
  package init() {}
}
