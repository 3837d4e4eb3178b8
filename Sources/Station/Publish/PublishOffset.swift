import Media
import Packager
import Picture

/// How long after the beginning of its slot a part is published, where a veil can begin: decoding and coding are over by
/// then, so the moment does not tell whether there was anything to code.
///
/// It begins with what most machines need for one picture and stays as it is for the life of the process. It becomes
/// longer only when several of the last parts were late, and shorter only after many hours in which hardly any part
/// needed half of it. It changes in the middle of a segment, after a whole segment that shows what the one before shows:
/// so never where a veil begins or ends.
package struct PublishOffset: Hashable, Sendable {
  /// The parts that are remembered, and how many of them must be late.
  private static let remembered = 64
  private static let tooManyLate = 3
  /// How many parts are needed before it can become shorter: eleven hours with parts of two seconds.
  private static let calm = 20_000
  private static let unit = Ticks.milliseconds(10)

  /// The offset: at least ten milliseconds, at most half a part.
  package private(set) var value: Ticks
  /// How many parts were late. They are published as soon as they are ready.
  package private(set) var late: Int64 = 0
  private let least: Ticks
  private let most: Ticks
  private let part: Ticks
  /// How long the last coded parts took, from the beginning of the slot.
  private var recent: [Ticks] = []
  /// The coded parts since the last change, and those that needed more than half of the offset.
  private var coded = 0
  private var slow = 0
  /// Whole segments since what is shown has changed.
  private var segments = 0

  /// The offset for pictures of this size.
  ///
  /// - Parameters:
  ///   - size: of the stream's pictures; the larger they are, the longer the first offset is.
  ///   - part: the length of a slot.
  package init(size: PictureSize, part: Ticks) {
    self.part = part
    most = max(Self.unit, Ticks(part.count / 2))
    least = min(most, Self.rounded(.milliseconds(20 + Int64(size.pixels) / 10_000)))
    value = least
  }

  /// The offset of a stream that goes on with other settings: as long as this one, where they allow it. Otherwise parts
  /// would be late once more, and would tell whether pictures were coded for them.
  package func goingOn(size: PictureSize, part: Ticks) -> PublishOffset {
    var next = PublishOffset(size: size, part: part)
    next.value = min(next.most, max(next.least, value))
    next.late = late
    return next
  }

  /// Notes that a segment begins.
  ///
  /// - Parameter isEdge: whether it shows something else than the segment before: the camera, the loop, or a veil.
  package mutating func beginSegment(isEdge: Bool) { segments = isEdge ? 0 : segments + 1 }

  /// Notes how long after the beginning of its slot a part was ready.
  ///
  /// - Parameter isCoded: whether pictures were coded for it; otherwise nothing is learnt of it.
  package mutating func note(ready: Ticks, isCoded: Bool) {
    if ready > value { late += 1 }
    // A machine that was suspended or stopped says nothing about coding.
    guard isCoded, ready >= .zero, ready < part else { return }
    if recent.count == Self.remembered { recent.removeFirst() }
    recent.append(ready)
    coded += 1
    if ready.count * 2 > value.count { slow += 1 }
  }

  /// Changes the offset if it has to be, with the middle part of a segment.
  ///
  /// - Parameters:
  ///   - index: of the part that was published, in its segment.
  ///   - count: how many parts a segment has.
  package mutating func published(part index: Int, of count: Int) {
    guard index == count / 2, segments > 0 else { return }
    let lateOnes = recent.filter { $0 > value }.sorted()
    if lateOnes.count >= Self.tooManyLate {
      // The latest one can be an accident.
      change(to: Ticks(lateOnes[lateOnes.count - 2].count * 5 / 4))
    } else if coded >= Self.calm {
      change(to: slow * 1000 < coded ? Ticks(value.count * 3 / 4) : value)
    }
  }

  private mutating func change(to next: Ticks) {
    value = min(most, max(least, Self.rounded(next)))
    (recent, coded, slow) = ([], 0, 0)
  }

  private static func rounded(_ time: Ticks) -> Ticks {
    unit * max(1, (time + unit - Ticks(1)).floorDivided(by: unit))
  }
}
