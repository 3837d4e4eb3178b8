/// Numbers that could tell what is shown, computed of what was seen within a window of time.
struct VeilFeatures {
  private let seen: VeilSightings
  /// How each number that counts on went on, and where.
  private let steps: [(name: String, step: Int, begins: Int64)]
  /// The usual step of each number that counts on.
  private let usual: [String: Int]
  /// The usual time from event to event, in microseconds.
  private let interval: Double

  /// Learns from all that was seen what is usual.
  init(_ seen: VeilSightings) {
    self.seen = seen
    var counts: [String: [Int: Int]] = [:]
    steps = Self.steps(seen.parts)
    for (name, step, _) in steps { counts[name, default: [:]][step, default: 0] += 1 }
    usual = counts.mapValues { steps in
      steps.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
    }
    let times = zip(seen.events.dropFirst(), seen.events).map { Double($0.time - $1.time) }.sorted()
    interval = times.isEmpty ? 0 : times[times.count / 2]
  }

  /// All features of a window, by name; those that nothing was seen of are left out.
  func values(_ window: Range<Int64>) -> [String: Double] {
    var values: [String: Double] = [:]
    let parts = seen.parts.filter { window.contains($0.begins) }
    let events = seen.events.filter { window.contains($0.came) }
    let pieces = seen.pieces.filter { window.contains($0.came) }
    func note(_ name: String, _ value: Double?) { if let value, value.isFinite { values[name] = value } }

    // When parts come within their slot, in milliseconds.
    let lateness = parts.map { inMilliseconds($0.listed - $0.begins - seen.part) }
    note("part listed in its slot, median ms", median(lateness))
    note("part listed in its slot, spread ms", spread(lateness))
    note("part listed in its slot, latest ms", lateness.max())
    note("part listed in its slot, earliest ms", lateness.min())
    note("part's bytes after its listing, median ms", median(parts.map { inMilliseconds($0.came - $0.listed) }))
    let isNew = parts.map(\.isNew)
    let (with, without) = (zip(lateness, isNew).filter(\.1).map(\.0), zip(lateness, isNew).filter { !$0.1 }.map(\.0))
    note("part with a picture later than without, ms", median(with).flatMap { a in median(without).map { a - $0 } })
    note("lateness and bytes of parts, correlation", correlation(lateness, parts.map { Double($0.bytes) }))
    note("time from part to part, spread ms", spread(differences(parts.map(\.listed)).map { $0 / 1000 }))

    // Sizes.
    let bytes = parts.map { Double($0.bytes) }
    note("bytes of parts, mean", mean(bytes))
    note("bytes of parts, spread", spread(bytes))
    let openings = parts.filter { $0.counters["idr_pic_id"] != nil }
    note(
      "bytes of segments' first pictures, mean",
      mean(openings.compactMap { part in part.pictures.first.map { Double($0) } }))
    note(
      "bytes of other pictures, median", median(parts.flatMap { part in part.pictures.dropFirst().map { Double($0) } }))
    note("parts with a new picture, share", mean(isNew.map { $0 ? 1 : 0 }))
    note("lines of the playlist, mean", mean(parts.map { Double($0.lines) }))

    // What headers say.
    for name in Set(parts.flatMap(\.fields.keys)) { note(name, mean(parts.compactMap { $0.fields[name] })) }
    for (name, usual) in usual {
      let some = steps.filter { $0.name == name && window.contains($0.begins) }
      note("\(name), unusual steps", mean(some.map { $0.step == usual ? 0 : 1 }))
    }

    // Events and latest.jpg.
    // What lies between a window and the one before counts too.
    let intervals = zip(seen.events.dropFirst(), seen.events).filter { window.contains($0.0.came) }.map {
      inMilliseconds($0.0.time - $0.1.time)
    }
    note("events a second", Double(events.count) / (Double(window.upperBound - window.lowerBound) / 1_000_000))
    note("time between events, mean ms", mean(intervals))
    note("time between events, spread ms", spread(intervals))
    note("time between events, shortest ms", intervals.min())
    note("time between events, longest ms", intervals.max())
    note("events off a steady timer, ms", offTimer(events.map(\.time)))
    let ages = events.map { inMilliseconds($0.came - $0.time) }
    note("event after the time it tells, median ms", median(ages))
    note("event after the time it tells, spread ms", spread(ages))
    let places = events.map { inMilliseconds(floorModulo($0.came, seen.part)) }
    note("event within the slot, spread ms", circularSpread(places, inMilliseconds(seen.part)))
    note("event within the slot, mean ms", circularMean(places, inMilliseconds(seen.part)))
    let phases = events.map { inMilliseconds(floorModulo($0.time, seen.part)) }
    note("still within the slot, spread ms", circularSpread(phases, inMilliseconds(seen.part)))
    note("events without a part's new picture, share", mean(events.compactMap { hasPart($0, parts, isNew) }))
    note("latest.jpg, bytes", mean(events.map { Double($0.pictureBytes) }))
    note("latest.jpg, change of bytes", mean(differences(events.map { Int64($0.pictureBytes) }).map(abs)))
    note("latest.jpg after the event, median ms", median(events.map { inMilliseconds($0.pictureCame - $0.came) }))
    note("bytes told wrong by events, share", mean(events.map { $0.bytes == $0.pictureBytes ? 0 : 1 }))

    // Segments while they are made.
    note("time from piece to piece, spread ms", spread(differences(pieces.map(\.came)).map { $0 / 1000 }))
    note("pieces, bytes", mean(pieces.map { Double($0.bytes) }))
    let within = pieces.map { inMilliseconds(floorModulo($0.came, seen.part)) }
    note("piece within the slot, mean ms", circularMean(within, inMilliseconds(seen.part)))
    note("piece within the slot, spread ms", circularSpread(within, inMilliseconds(seen.part)))
    return values
  }

  /// How late parts were in slots in which the camera sent a still that the veil hid, and in the others, in
  /// milliseconds more than is usual for a part that shows a new picture, or none. With a steady timer one of these two
  /// hides all the stills, and how late it usually is tells nothing that it does not show.
  ///
  /// - Parameter sent: when stills were sent.
  static func lateness(
    _ seen: VeilSightings, hiding sent: [Int64], within stretches: [VeilStretch]
  ) -> (without: [Double], with: [Double]) {
    let parts = seen.parts.filter { part in
      stretches.contains(where: { ($0.begin..<$0.end).contains(part.begins) })
    }
    func late(_ part: VeilSightings.Part) -> Double { inMilliseconds(part.listed - part.begins - seen.part) }
    let usual = Dictionary(grouping: parts, by: \.isNew).mapValues { median($0.map(late)) ?? 0 }
    var (without, with) = ([Double](), [Double]())
    for part in parts {
      let late = late(part) - (usual[part.isNew] ?? 0)
      let slot = part.begins..<part.begins + seen.part
      if sent.contains(where: { slot.contains($0) }) { with.append(late) } else { without.append(late) }
    }
    return (without, with)
  }

  // MARK: Counting on

  /// By how much each number went on from the part before that has it.
  private static func steps(_ parts: [VeilSightings.Part]) -> [(name: String, step: Int, begins: Int64)] {
    var (last, steps) = ([String: Int](), [(name: String, step: Int, begins: Int64)]())
    for part in parts {
      for (name, value) in part.counters {
        // x264 counts idr_pic_id 0, 1, 0, 1: only whether it changes is a step.
        if let before = last[name] {
          let step = name == "idr_pic_id" ? abs(value - before) : value - before
          steps.append((name, step, part.begins))
        }
        last[name] = value
      }
    }
    return steps
  }

  /// Whether a part with a new picture came about when the event did: 0 if so.
  private func hasPart(_ event: VeilSightings.Event, _ parts: [VeilSightings.Part], _ isNew: [Bool]) -> Double? {
    let near = zip(parts, isNew).filter { abs($0.0.listed - event.came) < seen.part / 2 }
    return near.isEmpty ? nil : near.contains(where: \.1) ? 0 : 1
  }

  /// How far times are from those of a timer that fits them best, in milliseconds: the standard deviation after a
  /// straight line.
  private func offTimer(_ times: [Int64]) -> Double? {
    guard times.count > 3, interval > 0, let first = times.first else { return nil }
    let values = times.map { Double($0 - first) }
    // A picture that was left out leaves a gap of several intervals.
    let counts = values.map { ($0 / interval).rounded() }
    guard let middle = mean(counts), let centre = mean(values) else { return nil }
    let square = counts.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    guard square > 0 else { return nil }
    let slope = zip(counts, values).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - centre) } / square
    let rest = zip(counts, values).map { ($1 - centre - slope * ($0 - middle)) / 1000 }
    return (rest.reduce(0) { $0 + $1 * $1 } / Double(rest.count)).squareRoot()
  }
}
