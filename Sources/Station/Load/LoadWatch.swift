import Logging
import Media
import NIOConcurrencyHelpers

/// How busy the machine is with its cameras, and how far they are stepped down: written by the cameras' loops and by the
/// station, read by the reports.
package final class LoadWatch: Sendable {
  /// What operators are told.
  package struct Report: Hashable, Sendable {
    /// How far the cameras are stepped down.
    package let level: LoadLevel
    /// Steps since the process started.
    package let downs: Int64
    package let ups: Int64
    /// How much of their time the encode threads work, in thousandths; over the last second.
    package let busy: Int
    /// Stills that were put off to a later part because the work was late.
    package let putOff: Int64
    /// The time that the encode threads worked since the process started.
    package let busyTime: Ticks
    /// Whether it steps down at all.
    package let isOn: Bool
  }

  private struct State {
    var isOn: Bool
    var steps = LoadSteps()
    var busy = 0
    /// The time that the threads had worked at the last look, and when that was.
    var worked = Ticks.zero
    var lookedAt: Ticks?
    /// Since the last look.
    var slots = 0
    var lateSlots = 0
    var latest = 0
    var putOff: Int64 = 0
  }

  private let state: NIOLockedValueBox<State>

  /// A watch that has seen nothing.
  ///
  /// - Parameter isOn: whether it steps down.
  package init(isOn: Bool = true) { state = NIOLockedValueBox(State(isOn: isOn)) }

  /// The level for all cameras.
  package var level: LoadLevel { state.withLockedValue { $0.steps.level } }

  /// Whether stills are put off where the work is late.
  var isOn: Bool { state.withLockedValue { $0.isOn } }

  /// What operators are told.
  package var report: Report {
    state.withLockedValue { state in
      Report(
        level: state.steps.level, downs: state.steps.downs, ups: state.steps.ups, busy: state.busy,
        putOff: state.putOff, busyTime: state.worked, isOn: state.isOn)
    }
  }

  /// Notes a slot: how long after it began its part was ready, and whether its stills were put off for being late.
  func note(ready: Ticks, of part: Ticks, isPutOff: Bool) {
    state.withLockedValue { state in
      state.slots += 1
      state.latest = max(state.latest, Int(clamping: ready.count * 1000 / part.count))
      if isPutOff {
        state.lateSlots += 1
        state.putOff += 1
      }
    }
  }

  /// Looks at the threads and the cameras, and decides.
  ///
  /// - Parameters:
  ///   - worked: the time that all threads together have worked since the process started.
  ///   - cameras: the encoder settings of each camera that encodes, and the level that it is encoded at.
  ///   - change: told of another level, with how busy the threads are, in thousandths.
  func look(
    at now: Ticks, worked: Ticks, threads: Int, cameras: [(settings: EncoderSettings, level: LoadLevel)],
    change: (_ from: LoadLevel, _ to: LoadLevel, _ busy: Int) -> Void
  ) {
    let cost = cameras.reduce(0) { $0 + $1.level.cost(for: $1.settings) }
    let costs = LoadLevel.all.map { level in cameras.reduce(0) { $0 + level.cost(for: $1.settings) } }
    let changed = state.withLockedValue { state -> (LoadLevel, LoadLevel, Int)? in
      defer { (state.slots, state.lateSlots, state.latest) = (0, 0, 0) }
      let time = state.lookedAt.map { now - $0 } ?? .zero
      let before = state.worked
      (state.lookedAt, state.worked) = (now, worked)
      guard time > .zero else { return nil }
      state.busy = Int(clamping: (worked - before).count * 1000 / (time.count * Int64(threads)))
      guard state.isOn else { return nil }
      let level = state.steps.level
      state.steps.note(
        LoadSteps.Sample(
          busy: state.busy, putOff: state.lateSlots * 1000 / max(1, state.slots), latest: state.latest, cost: cost,
          costs: costs), at: now)
      return state.steps.level == level ? nil : (level, state.steps.level, state.busy)
    }
    if let (from, to, busy) = changed { change(from, to, busy) }
  }
}
