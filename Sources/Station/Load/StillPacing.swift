import Media

/// Decides for each slot of a camera whether the stills that came are coded in it, or put off to a later one: where the
/// machine is stepped down so far that pictures are left out, and where the slot's work begins so late that its part
/// would be. The part comes at its time in each case; it repeats the picture before.
package struct StillPacing: Hashable, Sendable {
  /// What becomes of the stills of a slot.
  package enum Decision: Hashable, Sendable {
    /// All are coded, on the grid.
    case all
    /// Only the newest is.
    case newest
    /// None is; the newest waits for the next slot.
    case putOff(isLate: Bool)
  }

  /// How late the work can begin: a part is to be there before a tenth of its length is over, and coding takes a part of
  /// that.
  private static let share: Int64 = 25
  /// How many slots in a row are put off for being late. Then stills are coded, so that no camera stands still.
  private static let mostInARow = 5
  /// The same for an encoder that is to be opened, which takes longer: where many cameras begin at once, they do so one
  /// after another.
  private static let (openingShare, mostOpeningsInARow): (Int64, Int) = (50, 8)

  private let part: Ticks
  /// What has come together for the next new picture since the last one: each slot adds to it.
  private var credit = Int.max / 4
  /// Slots that were put off for being late since then.
  private var lateOnes = 0

  /// The pacing of a camera with parts of this length.
  package init(part: Ticks) { self.part = part }

  /// Whether work that begins so long after the slot is late.
  package func isLate(_ delay: Ticks) -> Bool { delay.count * Self.share > part.count }

  /// Decides for the next slot.
  ///
  /// - Parameters:
  ///   - hasStills: whether any came.
  ///   - beginsSegment: whether it begins a segment: its picture is coded in any case, as an IDR picture.
  ///   - opensEncoder: whether the slate is shown, and the first still is to open an encoder: no slot needs one.
  ///   - delay: how long after the slot the work begins.
  package mutating func next(
    hasStills: Bool, beginsSegment: Bool, opensEncoder: Bool = false, delay: Ticks, level: LoadLevel
  ) -> Decision {
    let (shown, parts) = level.share
    credit = min(credit, parts - 1) + shown
    guard hasStills else { return .all }
    if opensEncoder, delay.count * Self.openingShare > part.count, lateOnes < Self.mostOpeningsInARow {
      lateOnes += 1
      return .putOff(isLate: true)
    }
    if !beginsSegment, !opensEncoder {
      if credit < parts { return .putOff(isLate: false) }
      if isLate(delay), lateOnes < Self.mostInARow {
        lateOnes += 1
        return .putOff(isLate: true)
      }
    }
    credit = max(0, credit - parts)
    lateOnes = 0
    return level.picturesPerPart == 1 ? .newest : .all
  }
}
