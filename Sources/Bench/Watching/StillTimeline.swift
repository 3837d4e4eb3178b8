import Media

/// When each still was pushed, published and passed to ffmpeg, from which follows which still a picture shows.
struct StillTimeline: Sendable {
  /// One push.
  struct Push: Sendable {
    /// The still's number in the set.
    let still: Int
    let began: ContinuousClock.Instant
    /// When the server had received it.
    let ended: ContinuousClock.Instant
    /// The same on the wall clock, which the server uses for the stream's dates.
    let date: WallTime
    /// How long after its due time it began: a measure of how busy the machine is.
    var late = Duration.zero
  }

  /// In order.
  var pushes: [Push] = []
  /// When the server sent the event of a new still.
  var announcements: [ContinuousClock.Instant] = []
  /// For each picture that ffmpeg got, the push that it shows; -1 before the first.
  var fed: [Int] = []

  /// Why figures from a busy machine are wrong: stills were pushed late, accepted slowly, or never shown. `nil` if
  /// nearly all went well.
  func complaint(about window: Range<Int>) -> String? {
    guard let first = window.first, let last = window.last else { return nil }
    let slow = window.count {
      pushes[$0].late > .milliseconds(150) || pushes[$0].ended - pushes[$0].began > .milliseconds(300)
    }
    // Each still that is shown has an event; the last may not have arrived yet.
    let told = announcements.count { $0 > pushes[first].began && $0 <= pushes[last].began + .seconds(2) }
    let missing = max(0, window.count - told - 1)
    guard max(slow, missing) * 20 > window.count else { return nil }
    return
      "the machine was too busy for these figures: of \(window.count) stills \(slow) were pushed or taken late and "
      + "\(missing) not shown; measure again on a quieter one, or with fewer --ways at a time"
  }

  /// The push whose still `latest.jpg` had at a moment.
  func latest(at moment: ContinuousClock.Instant) -> Int? {
    // An event is about the newest still that the server had.
    guard let told = announcements.last(where: { $0 <= moment }) else { return nil }
    return pushes.lastIndex { $0.ended <= told }
  }

  /// The push whose still was the newest at a moment and has this number in the set.
  func push(of still: Int, before moment: ContinuousClock.Instant) -> Int? {
    pushes.lastIndex { $0.still == still && $0.began <= moment }
  }

  /// The push that each picture of a piece shows, by the packager's rule: stills that came during a slot are shown in
  /// the next one, the first of them at once, the others on the grid.
  func shown(in piece: ViewLog.Piece, step: Ticks, part: Ticks) -> [Int?] {
    let count = Int(piece.duration.floorDivided(by: step))
    switch piece.begins {
    case .picture(let first):
      return (first..<first + count).map { $0 < fed.count && fed[$0] >= 0 ? fed[$0] : nil }
    case .date(let date):
      return (0..<count).map { index in
        let offset = step * Int64(index)
        let slot = part * offset.floorDivided(by: part)
        let begins = date.advanced(by: slot)
        let collected = date.advanced(by: slot - part)
        guard let newest = pushes.lastIndex(where: { $0.date < begins }) else { return nil }
        guard let first = pushes.firstIndex(where: { $0.date >= collected && $0.date < begins }) else { return newest }
        let steps = (offset - slot).floorDivided(by: step)
        return pushes.indices[first...newest].last { index in
          let behind = Ticks.milliseconds(pushes[index].date.milliseconds - pushes[first].date.milliseconds)
          return behind.floorDivided(by: step) <= steps
        }
      }
    }
  }
}
