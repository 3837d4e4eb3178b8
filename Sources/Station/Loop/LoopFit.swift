import Media

/// Finds segments of a loop whose first still has the same slot offset as the next expected still.
struct LoopFit: Sendable {
  /// The segments that fit best, and those that fit hardly worse; none where it is not known when stills came.
  let places: [Int]
  /// Whether they fit as well as one can ask for.
  let isClose: Bool

  /// - Parameters:
  ///   - offsets: the slot offset of the still at the beginning of each segment; `nil` where none begins to show there.
  ///   - expected: the slot offset of the still that is expected.
  ///   - slack: by how much one may fit worse than another.
  init(_ offsets: [Ticks?], expected: Ticks, slack: Ticks) {
    let distances = offsets.map { $0.map { abs(($0 - expected).count) } }
    let least = distances.compactMap { $0 }.min() ?? .max
    isClose = least <= slack.count
    places = distances.indices.filter { index in distances[index].map { $0 - least <= slack.count } ?? false }
  }

  /// The nearest place that does not lie before `index`, so that nothing comes again; `nil` where there is none.
  func place(notBefore index: Int) -> Int? { places.first { $0 >= index } }
}
