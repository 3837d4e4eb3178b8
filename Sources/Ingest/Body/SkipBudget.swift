/// How many bytes that are no picture may still come before the next picture.
struct SkipBudget: Sendable {
  private let limit: Int
  private var spent = 0

  /// A budget of so many bytes from picture to picture.
  init(_ limit: Int) { self.limit = limit }

  /// Takes account of bytes that are no picture; `false` when they are too many.
  mutating func spend(_ count: Int) -> Bool {
    spent += count
    return spent <= limit
  }

  /// Begins anew behind a picture.
  mutating func renew() { spent = 0 }
}
