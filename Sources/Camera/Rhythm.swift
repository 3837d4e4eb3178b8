import Media

/// When stills are due: a steady grid that does not drift. Missed beats are left out and not made up for.
package struct Rhythm: Hashable, Sendable {
  /// The time between two beats.
  package private(set) var every: Ticks
  private var gridStart: Ticks
  private var gridIndex: Int64 = 0
  private var next: Int64 = 0

  /// The moment of beat 0, the origin of the beats' times.
  private var origin: Ticks

  /// A rhythm whose beat 0 is due at `start`; `every` is at least one tick.
  package init(every: Ticks, start: Ticks) {
    self.every = max(every, Ticks(1))
    gridStart = start
    origin = start
  }

  /// When the next beat is due.
  package var due: Ticks { time(of: next) }

  /// Takes the newest beat that is due at `now`, or `nil` if none is; older ones that were not taken are missed.
  package mutating func beat(at now: Ticks) -> Beat? {
    guard now >= due else { return nil }
    if next == 0 { (gridStart, origin) = (now, now) }  // The grid begins with the first beat that is taken.
    let index = gridIndex + (now - gridStart).floorDivided(by: every)
    defer { next = index + 1 }
    return Beat(index: index, time: time(of: index) - origin)
  }

  /// Continues at another interval: the next beat is one new step after the last one taken, or at `now` if that has
  /// passed.
  package mutating func change(every new: Ticks, at now: Ticks) {
    let new = max(new, Ticks(1))
    guard new != every else { return }
    let last = next > 0 ? time(of: next - 1) : gridStart - new
    gridStart = max(last + new, now)
    gridIndex = next
    every = new
  }

  private func time(of index: Int64) -> Ticks { gridStart + every * (index - gridIndex) }
}
