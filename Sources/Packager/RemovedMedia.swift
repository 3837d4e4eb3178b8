import Media

/// The segments and parts that have left a playlist, and how long each can still be requested (rfc8216bis, section
/// 6.2.2).
struct RemovedMedia: Sendable {
  private struct Item: Sendable {
    let segment: ListedSegment
    /// Whether it is the whole segment, or its parts.
    let isWhole: Bool
    /// How much of the stream has played when it may be removed.
    let until: Ticks

    var names: [String] { isWhole ? [segment.file] : segment.partBytes.indices.map(segment.name.part) }
  }

  private var items: [Item] = []

  /// All names.
  var names: [String] { items.flatMap(\.names) }

  /// Retains a whole segment.
  mutating func add(_ segment: ListedSegment, until: Ticks) {
    items.append(Item(segment: segment, isWhole: true, until: until))
  }

  /// Retains the parts of a segment.
  mutating func addParts(of segment: ListedSegment, until: Ticks) {
    items.append(Item(segment: segment, isWhole: false, until: until))
  }

  /// Retains what another playlist or an earlier process had removed, for the time that it still has.
  ///
  /// - Parameter now: how much of the stream has played when that time begins.
  mutating func add(_ removed: RemovedSegment, from now: Ticks) {
    add(removed.segment, until: now + removed.time)
    if removed.partTime > .zero { addParts(of: removed.segment, until: now + removed.partTime) }
  }

  /// Forgets what has been retained for long enough.
  ///
  /// - Returns: the names that nothing retains any more; a loop's names come again in each round.
  mutating func expire(played: Ticks) -> [String] {
    let names = items.filter { $0.until <= played }.flatMap(\.names)
    guard !names.isEmpty else { return [] }
    items.removeAll { $0.until <= played }
    let kept = Set(self.names)
    return names.filter { !kept.contains($0) }
  }

  /// The retained whole segments, each once, with the time that they and their parts still have.
  func segments(played: Ticks) -> [RemovedSegment] {
    var found: [RemovedSegment] = []
    var places: [String: Int] = [:]
    for item in items where item.isWhole {
      let left = RemovedSegment(item.segment, time: item.until - played, partTime: .zero)
      if let place = places[item.segment.file] {
        found[place].time = max(found[place].time, left.time)
      } else {
        places[item.segment.file] = found.count
        found.append(left)
      }
    }
    for item in items where !item.isWhole {
      guard let place = places[item.segment.file] else { continue }
      found[place].partTime = max(found[place].partTime, item.until - played)
    }
    return found
  }
}
