import Media

/// Where the slots and segments of a camera begin in time, so that the cameras of a machine do not all encode at the same
/// moment: the multiples of two irrational numbers spread any number of cameras evenly.
///
/// Slots stand on the grid of civil time, each camera's at its own phase, so that it is the same after a restart.
package struct SlotPlace: Hashable, Sendable {
  /// Millionths of the golden ratio and of the square root of 3, without their whole parts.
  private static let (slotStep, segmentStep): (Int64, Int64) = (618_034, 732_051)
  private static let whole: Int64 = 1_000_000

  private let number: Int64
  private let isFirst: Bool

  /// The place of the camera with this number, from 0.
  ///
  /// - Parameter isFirst: whether its stream begins in this process; otherwise its segments have their place already.
  package init(number: Int, isFirst: Bool = true) { (self.number, self.isFirst) = (Int64(number), isFirst) }

  /// How long after a moment of civil time the next slot begins: from zero to less than a slot.
  package func wait(at now: WallTime, slot: Ticks) -> Ticks {
    let phase = number * Self.slotStep % Self.whole * slot.count / Self.whole
    let since = Ticks.milliseconds(now.milliseconds) - Ticks(phase)
    let into = since - slot * since.floorDivided(by: slot)
    return into == .zero ? .zero : slot - into
  }

  /// After how many parts the first segment ends; `nil` for a whole one.
  package func firstParts(of count: Int) -> Int? {
    let parts = Int(number * Self.segmentStep % Self.whole * Int64(count) / Self.whole)
    return parts == 0 || !isFirst ? nil : parts
  }
}
