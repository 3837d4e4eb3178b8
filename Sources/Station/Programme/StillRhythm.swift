import Media

/// The rhythm of a camera's stills, so that pictures of the loop are dated as if they came in it.
///
/// A loop that was recorded from the camera has the camera's own times, and they are told as they are, or all moved by
/// the same time. Where nothing is known of a picture's time, or it leads out of the slot that the picture shows in, it
/// is drawn from the intervals of the last stills: times drawn one by one would not follow each other as a camera's do.
struct StillRhythm: Sendable {
  private static let kept = 64
  /// Fewer intervals say nothing about what a camera never does.
  private static let few = 4

  /// After this time without a still the camera is off; such an interval is not one of its own.
  private let hold: Ticks?
  /// The slot offsets of the last stills.
  private var phases: [Ticks] = []
  /// The intervals between them.
  private(set) var gaps: [Ticks] = []
  /// When the newest still came.
  private var newest: Ticks?
  /// The time that was last reported.
  private(set) var reported: Ticks?

  /// The rhythm of a camera that is off after this time without a still; `nil` for never.
  init(hold: Ticks? = nil) { self.hold = hold }

  /// Notes when stills came.
  ///
  /// - Parameter isReported: whether these times are reported to viewers.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isReported: Bool = true) {
    for arrival in arrivals {
      phases.append(arrival - collectedFrom)
      if let newest, hold.map({ arrival - newest < $0 }) ?? true { gaps.append(arrival - newest) }
      newest = arrival
      if isReported { report(arrival) }
    }
    (phases, gaps) = (phases.suffix(Self.kept), gaps.suffix(Self.kept))
  }

  /// Notes that viewers are told of a still that came then.
  mutating func report(_ time: Ticks) { reported = time }

  /// The shortest and the longest of the last intervals; `nil` as long as too few are known.
  var range: ClosedRange<Ticks>? {
    guard gaps.count >= Self.few, let least = gaps.min(), let most = gaps.max() else { return nil }
    return least...most
  }

  /// Where in their slots the last stills came; `nil` where that is no one place.
  func phase(slot: Ticks) -> Ticks? { Self.phase(of: phases, slot: slot) }

  /// Where in their slots some stills came: the mean without some rare ones, a little negative where they come around
  /// the beginning of slots; `nil` where they are too few, or differ by more than a tenth of a slot.
  static func phase(of offsets: some Collection<Ticks>, slot: Ticks) -> Ticks? {
    // Slots are a circle: it is looked at as it is, and cut in the middle of slots.
    let half = Ticks(slot.count / 2)
    let turned = offsets.map { $0 - slot * ($0 + half).floorDivided(by: slot) }
    return place(of: Array(offsets), slot: slot) ?? place(of: turned, slot: slot)
  }

  private static func place(of offsets: [Ticks], slot: Ticks) -> Ticks? {
    let (sorted, rare) = (offsets.sorted(), offsets.count / 8)
    let usual = sorted.dropFirst(rare).dropLast(rare)
    guard sorted.count >= few, let least = usual.first, let most = usual.last, (most - least).count <= slot.count / 10
    else { return nil }
    return Ticks(usual.reduce(0) { $0 + $1.count } / Int64(usual.count))
  }

  /// How far an interval can be from the nearest of the last ones and still be one of this camera's: by what three
  /// quarters of them differ, which some rare ones do not make wide.
  private var slack: Ticks {
    let (sorted, rare) = (gaps.sorted(), gaps.count / 8)
    let width = (sorted[sorted.count - 1 - rare] - sorted[rare]).count
    return max(.milliseconds(1), Ticks(max(width / 8, 2 * width / Int64(gaps.count))))
  }

  /// Whether an interval is one of this camera's: within their range, and near to one of the last ones. Between the usual
  /// ones and some rare ones there are others that never come.
  func isUsual(_ interval: Ticks) -> Bool {
    guard let range else { return true }
    let slack = slack
    return range ~= interval && gaps.contains { abs(($0 - interval).count) <= slack.count }
  }

  /// Whether a still at this time follows what was last reported as this camera's stills follow each other.
  func isNatural(_ time: Ticks) -> Bool {
    guard let reported else { return true }
    return isUsual(time - reported)
  }

  /// Whether the camera's next still follows what was last reported as its stills follow each other, whenever it comes in
  /// its rhythm. After a silence any still does.
  func isInStep(at now: Ticks) -> Bool {
    guard let newest, let reported, range != nil, !isSilent(at: now) else { return true }
    return abs((newest - reported).count) <= slack.count
  }

  /// Whether no still has come for clearly longer than for the longest of the last intervals.
  func isSilent(at now: Ticks) -> Bool {
    guard let newest, let range else { return false }
    return (now - newest).count * 4 > range.upperBound.count * 5
  }

  /// Whether what was last reported is so long ago that any time can follow it.
  func isOver(at time: Ticks) -> Bool {
    guard let reported, let range else { return true }
    return reported + range.upperBound < time
  }

  private var median: Ticks? { gaps.isEmpty ? nil : gaps.sorted()[gaps.count / 2] }

  /// What is known before a time is reported that comes before `time`: the last report is expected to be this.
  func expected(before time: Ticks) -> StillRhythm {
    var rhythm = self
    guard let reported, let gap = median, gap > .zero, reported + gap < time, !isOver(at: time - gap) else {
      return self
    }
    rhythm.reported = reported + gap * (time - Ticks(1) - reported).floorDivided(by: gap)
    return rhythm
  }

  // MARK: Stills that pictures of the loop cover

  /// When the pictures are said to have come that are shown in place of these stills: when these came, if that follows
  /// what was last reported. Otherwise a still is left out, and the times come nearer to the camera's from one to the
  /// next, in intervals that the camera has.
  ///
  /// - Parameters:
  ///   - arrivals: when the stills of the slot came; they have been noted.
  ///   - collectedFrom: when the slot began to collect them.
  ///   - end: when it ended.
  func covers(of arrivals: [Ticks], collectedFrom: Ticks, end: Ticks) -> [Ticks] {
    guard range != nil, reported != nil else { return arrivals }
    var (times, rest, copy) = ([Ticks](), arrivals[...], self)
    // More cannot be shown, and it ends whatever the intervals are.
    while times.count <= arrivals.count + Self.kept, let last = copy.reported {
      rest = rest.drop { $0 <= last }
      let time: Ticks
      if let next = rest.first, copy.isNatural(next) || copy.isOver(at: collectedFrom) {
        time = next
      } else if copy.isOver(at: collectedFrom) || copy.isSilent(at: end) || last == newest {
        // Nothing is shown, or only the camera's next still can be.
        break
      } else if let next = copy.approach(from: max(collectedFrom, last + Ticks(1)), before: end) {
        time = next
      } else {
        break
      }
      times.append(time)
      copy.report(time)
    }
    return times
  }

  /// The next time in this camera's rhythm that comes nearer to its stills; `nil` if that is not before `end`.
  private func approach(from begin: Ticks, before end: Ticks) -> Ticks? {
    guard let reported, let newest, let gap = median, gap > .zero else { return nil }
    let ahead = newest - reported
    // Where the camera's stills come next to the times that are told: later by up to half an interval, or earlier.
    let later = ahead - gap * (ahead + Ticks(gap.count / 2)).floorDivided(by: gap)
    let sorted = gaps.sorted()
    // A longer interval than usual brings the next report later.
    let useful = later > .zero ? sorted.suffix(max(1, sorted.count / 3)) : sorted.prefix(max(1, sorted.count / 3))
    let possible = useful.filter { reported + $0 >= begin }
    guard let chosen = possible.randomElement() ?? sorted.last(where: { reported + $0 >= begin }) else { return nil }
    return reported + chosen < end ? reported + chosen : nil
  }

  // MARK: Pictures of a loop

  /// When pictures that begin to show at these steps of a slot could have come, in rising order.
  ///
  /// - Parameter known: when they came, as far as that is known.
  func arrivals(at steps: [Int], known: [Ticks?] = [], collectedFrom: Ticks, step: Ticks, count: Int) -> [Ticks] {
    guard let first = steps.first, let final = steps.last else { return [] }
    // The first picture of a slot shows at once, whenever it came; the others follow it in their rhythm.
    var begin = collectedFrom
    var end = collectedFrom + step * Int64(max(1, count - (final - first)))
    var (next, copy) = (end, self)
    return steps.enumerated().map { index, place in
      if place != first { (begin, end) = (next + step * Int64(place - first - 1), next + step * Int64(place - first)) }
      let known = known.indices.contains(index) ? known[index] : nil
      let time = known.map { min(max($0, begin), end - Ticks(1)) } ?? copy.draw(from: begin, to: end, collectedFrom)
      copy.report(time)
      if place == first { next = collectedFrom + step * ((time - collectedFrom).floorDivided(by: step) + 1) }
      return time
    }
  }

  private func draw(from begin: Ticks, to end: Ticks, _ collectedFrom: Ticks) -> Ticks {
    for _ in 0..<16 {
      if let reported, let gap = gaps.randomElement(), reported + gap >= begin, reported + gap < end {
        return reported + gap
      }
    }
    if let reported, let gap = gaps.randomElement(), gaps.contains(where: { isNear(reported + $0, begin, end) }) {
      // As near to the rhythm as the slot allows, and not always at its very edge.
      let slack = Ticks(Int64.random(in: 0...(end - begin).count / 16))
      return reported + gap < begin ? begin + slack : end - Ticks(1) - slack
    }
    for _ in 0..<16 {
      if let phase = phases.randomElement(), collectedFrom + phase >= begin, collectedFrom + phase < end {
        return collectedFrom + phase
      }
    }
    return begin + Ticks(Int64.random(in: 0..<(end - begin).count))
  }

  private func isNear(_ time: Ticks, _ begin: Ticks, _ end: Ticks) -> Bool {
    let length = end - begin
    return time >= begin - length && time < end + length
  }
}
