import Media

/// When which still was pushed, published and fed to ffmpeg: from it follows which still a picture shows.
struct StillTimeline: Sendable {
  /// One push.
  struct Push: Sendable {
    /// Which of the set's stills.
    let still: Int
    let began: ContinuousClock.Instant
    /// When the server had it.
    let ended: ContinuousClock.Instant
    /// The same on the wall clock, which the server dates its stream by.
    let date: WallTime
    /// How long after its time it began: a measure of how busy the machine is.
    var late = Duration.zero
  }

  /// In order.
  var pushes: [Push] = []
  /// When the server told of a new still.
  var announcements: [ContinuousClock.Instant] = []
  /// For each picture that ffmpeg was fed, the push that it shows; -1 before the first.
  var fed: [Int] = []

  /// What is wrong with figures from a machine that had no time for the bench: stills that were pushed late, taken slowly,
  /// or never shown. `nil` where nearly all went well.
  func complaint(about window: Range<Int>) -> String? {
    guard let first = window.first, let last = window.last else { return nil }
    let slow = window.count {
      pushes[$0].late > .milliseconds(150) || pushes[$0].ended - pushes[$0].began > .milliseconds(300)
    }
    // Each still that is shown is announced; the last may be on its way.
    let told = announcements.count { $0 > pushes[first].began && $0 <= pushes[last].began + .seconds(2) }
    let missing = max(0, window.count - told - 1)
    guard max(slow, missing) * 20 > window.count else { return nil }
    return
      "the machine was too busy for these figures: of \(window.count) stills \(slow) were pushed or taken late and "
      + "\(missing) not shown; measure again on a quieter one, or with fewer --ways at a time"
  }

  /// The push whose still `latest.jpg` held at a moment.
  func latest(at moment: ContinuousClock.Instant) -> Int? {
    // An announcement tells of the newest still that the server had.
    guard let told = announcements.last(where: { $0 <= moment }) else { return nil }
    return pushes.lastIndex { $0.ended <= told }
  }

  /// The push whose still was the newest at a moment and has this number in the set.
  func push(of still: Int, before moment: ContinuousClock.Instant) -> Int? {
    pushes.lastIndex { $0.still == still && $0.began <= moment }
  }

  /// The push that each picture of a piece shows, by the packager's rule: what came during a slot stands in the next
  /// one, the first of it at once, more of it on the grid.
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
