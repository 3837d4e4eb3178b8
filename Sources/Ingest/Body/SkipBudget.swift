/// How many bytes that belong to no picture can still come before the next picture.
struct SkipBudget: Sendable {
  private let limit: Int
  private var spent = 0

  /// A budget of this many bytes from picture to picture.
  init(_ limit: Int) { self.limit = limit }

  /// Counts bytes that belong to no picture; `false` if they are too many.
  mutating func spend(_ count: Int) -> Bool {
    spent += count
    return spent <= limit
  }

  /// Starts again after a picture.
  mutating func renew() { spent = 0 }
}
