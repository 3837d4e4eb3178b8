import Media

/// Maps media time to wall clock time for EXT-X-PROGRAM-DATE-TIME, so that no date ever means two moments.
///
/// The wall clock is read once for each segment. If it is ahead of the mapping by more than the tolerance, the mapping
/// follows it. If it has stepped back, the mapping stays, because published dates would be repeated (rfc8216bis,
/// section 6.2.1).
package struct DateMap: Hashable, Sendable {
  private let tolerance: Ticks
  private var anchor: (media: Ticks, wall: WallTime)
  /// How much later media plays since the slots were moved than the mapping has it; negative where it plays earlier.
  private var moved = Ticks.zero

  /// A mapping that shows `media` at `wall`.
  package init(media: Ticks, wall: WallTime, tolerance: Ticks = .milliseconds(250)) {
    self.tolerance = tolerance
    anchor = (media, wall)
  }

  /// The date of a media time.
  package func date(of media: Ticks) -> WallTime { anchor.wall.advanced(by: media - anchor.media) }

  /// Notes that media plays later from now on, or earlier where `shift` is negative. The dates of the next segments
  /// follow what is later; what is earlier leaves them ahead of the wall clock.
  package mutating func slotsMoved(by shift: Ticks) { moved = moved + shift }

  /// The date at which a new segment begins; `wall` is the wall clock's time for that moment.
  package mutating func segmentBegins(at media: Ticks, wall: WallTime) -> WallTime {
    if moved > .zero {
      anchor.wall = anchor.wall.advanced(by: moved)
      moved = .zero
    }
    if wall.milliseconds - date(of: media).milliseconds > tolerance.milliseconds {
      anchor = (media, wall)
      moved = .zero
    }
    return date(of: media)
  }

  /// Compares the tolerance and the mapping.
  package static func == (left: DateMap, right: DateMap) -> Bool {
    left.tolerance == right.tolerance && left.anchor == right.anchor && left.moved == right.moved
  }

  /// Hashes the mapping.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(anchor.media)
    hasher.combine(anchor.wall)
  }
}
