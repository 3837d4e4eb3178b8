import Media

/// Finds segments of a loop whose first still has the same slot offset as the next expected still.
struct LoopFit: Sendable {
  /// The segments that fit best, and those that are almost as good; none if the slot offsets are not known.
  let places: [Int]
  /// Whether they fit well enough.
  let isClose: Bool

  /// - Parameters:
  ///   - offsets: the slot offset of each segment's first still; `nil` if it has none.
  ///   - expected: the slot offset of the still that is expected.
  ///   - slack: how much worse than the best a segment can fit.
  init(_ offsets: [Ticks?], expected: Ticks, slack: Ticks) {
    let distances = offsets.map { $0.map { abs(($0 - expected).count) } }
    let least = distances.compactMap { $0 }.min() ?? .max
    isClose = least <= slack.count
    places = distances.indices.filter { index in distances[index].map { $0 - least <= slack.count } ?? false }
  }

  /// The nearest index that is not before `index`, so that nothing is repeated; `nil` if there is none.
  func place(notBefore index: Int) -> Int? { places.first { $0 >= index } }
}
