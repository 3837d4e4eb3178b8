/// Remembers accepted signatures for as long as they would be valid.
package struct ReplayGuard: Sendable {
  private var known: [[UInt8]: Int64] = [:]
  private var nextSweep: Int64 = 0
  private let mostKnown: Int

  /// - Parameter mostKnown: how many are remembered. More are refused, because a signature that is not remembered could
  ///   come again. Only valid signatures are remembered, so nobody without the token can fill it.
  package init(mostKnown: Int = 50_000) { self.mostKnown = mostKnown }

  /// Whether a signature was accepted before.
  package func knows(_ signature: BodySignature) -> Bool { known[signature.signature] != nil }

  /// Accepts a valid signature, once.
  ///
  /// - Parameter now: whole seconds since 1970.
  package mutating func admit(_ signature: BodySignature, now: Int64) -> Bool {
    if now >= nextSweep || known.count >= mostKnown {
      known = known.filter { $0.value >= now }
      nextSweep = now + 10
    }
    guard known[signature.signature] == nil, known.count < mostKnown else { return false }
    known[signature.signature] = signature.time + BodySignature.window
    return true
  }
}
