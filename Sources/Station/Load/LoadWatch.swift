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
    /// How much of it they need for all that comes, in thousandths; can be more than they have.
    package let needed: Int
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
    var demand = LoadDemand()
    var busy = 0
    var needed = 0
    /// The time that the threads had worked at the last look, how much of the processors they had, and when that was.
    var worked = Ticks.zero
    var ran = Ticks.zero
    var lookedAt: Ticks?
    /// Since the last look.
    var slots = 0
    var lateSlots = 0
    var latest = 0
    var took = Ticks.zero
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
        needed: state.needed, putOff: state.putOff, busyTime: state.worked, isOn: state.isOn)
    }
  }

  /// Notes a slot: how long after it began its part was ready, the processor time that it took, and whether its stills
  /// were put off for being late.
  func note(ready: Ticks, of part: Ticks, took: Ticks, isPutOff: Bool) {
    state.withLockedValue { state in
      state.slots += 1
      state.latest = max(state.latest, Int(clamping: ready.count * 1000 / part.count))
      state.took = state.took + took
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
  ///   - ran: how much of a processor they had in that time.
  ///   - cameras: those that encode.
  ///   - change: told of another level, with what the threads need, in thousandths of their time.
  func look(
    at now: Ticks, worked: Ticks, ran: Ticks, threads: Int, cameras: [CameraWork],
    change: (_ from: LoadLevel, _ to: LoadLevel, _ needed: Int) -> Void
  ) {
    let cost = cameras.reduce(0) { $0 + $1.level.cost(for: $1.settings) }
    let costs = LoadLevel.all.map { level in cameras.reduce(0) { $0 + level.cost(for: $1.settings) } }
    let changed = state.withLockedValue { state -> (LoadLevel, LoadLevel, Int)? in
      defer { (state.slots, state.lateSlots, state.latest, state.took) = (0, 0, 0, .zero) }
      let seen = LoadDemand.Seen(
        time: state.lookedAt.map { now - $0 } ?? .zero, threads: threads, worked: worked - state.worked,
        ran: ran - state.ran, slots: state.took)
      (state.lookedAt, state.worked, state.ran) = (now, worked, ran)
      guard seen.time > .zero else { return nil }
      state.busy = Int(clamping: seen.worked.count * 1000 / (seen.time.count * Int64(threads)))
      let (needed, fixed) = state.demand.note(seen, cameras: cameras)
      state.needed = needed
      guard state.isOn else { return nil }
      let level = state.steps.level
      state.steps.note(
        LoadSteps.Sample(
          demand: needed, fixed: fixed, putOff: state.lateSlots * 1000 / max(1, state.slots), latest: state.latest,
          cost: cost, costs: costs), at: now)
      return state.steps.level == level ? nil : (level, state.steps.level, needed)
    }
    if let (from, to, needed) = changed { change(from, to, needed) }
  }
}
