/// What the bytes of an answer are, as they are counted.
package enum AnswerKind: String, Hashable, Sendable, CaseIterable, Codable {
  /// A playlist.
  case playlist
  /// An init segment, a segment or a part.
  case media
  /// A picture: `latest.jpg`, or a photo.
  case picture
  /// Server-sent events.
  case event
  /// A page, and the scripts and styles of pages and of the element.
  case page
  /// All else: lists for scripts, waves, errors.
  case other

  /// The place of the kind in `SentBytes`.
  var index: Int {
    switch self {
    case .playlist: 0
    case .media: 1
    case .picture: 2
    case .event: 3
    case .page: 4
    case .other: 5
    }
  }
}

/// Bytes that were sent, by kind.
package struct SentBytes: Hashable, Sendable {
  private var counts = [Int64](repeating: 0, count: AnswerKind.allCases.count)

  /// None.
  package init() {}

  /// The bytes of one kind.
  package subscript(kind: AnswerKind) -> Int64 {
    get { counts[kind.index] }
    set { counts[kind.index] = newValue }
  }

  /// The bytes of all kinds.
  package var total: Int64 { counts.reduce(0, +) }

  /// Adds the bytes of each kind.
  package static func += (left: inout SentBytes, right: SentBytes) {
    for index in left.counts.indices { left.counts[index] += right.counts[index] }
  }

  /// What was sent since `earlier`; where a count began anew since then, all of it.
  package func since(_ earlier: SentBytes) -> SentBytes {
    var result = self
    for index in counts.indices where counts[index] >= earlier.counts[index] {
      result.counts[index] -= earlier.counts[index]
    }
    return result
  }
}
