import Foundation
import Media
import Packager
import Station

/// Computes how long stills wait for the slot that shows them, with a slot clock that stands still and with one that
/// follows the camera, for cameras of several kinds. Nothing is sent: the two rules are run by a clock of their own.
package struct SlotBench: Sendable {
  /// How a camera sends its stills.
  package enum Timer: String, Sendable, CaseIterable {
    /// By a timer of 2 s.
    case steady = "a timer of 2 s"
    /// By a timer of 2.05 s, as of a camera that waits for 2 s and needs 0.05 s for a still.
    case slow = "a timer of 2.05 s"
    /// After the time that the answer to the last still advised, and 0.05 s for a still.
    case listening = "a camera that listens"
    /// After 0.5 to 3.5 s.
    case random = "at random"
  }

  /// The waits of one camera, in milliseconds.
  package struct Result: Sendable, CustomStringConvertible {
    /// How it sends.
    package let timer: Timer
    /// Sorted, with a clock that stands still.
    package let before: [Int64]
    /// Sorted, with one that follows.
    package let after: [Int64]

    /// One line of the table that `quietcam bench slots` prints.
    package var description: String {
      func text(_ waits: [Int64]) -> String {
        let mean = waits.reduce(0, +) / Int64(max(1, waits.count))
        return [waits[waits.count / 2], waits[waits.count * 95 / 100], mean]
          .map { String(format: "%8.2f", Double($0) / 1000) }.joined()
      }
      let name = timer.rawValue.padding(toLength: 22, withPad: " ", startingAt: 0)
      return "\(name)\(text(before))  \(text(after))"
    }
  }

  private let slot: Ticks
  private let timeline: TimelineSettings

  /// A bench of slots of the default length.
  ///
  /// - Throws: nothing with the defaults.
  package init() throws {
    timeline = try TimelineSettings()
    slot = timeline.part
  }

  /// The head of the table.
  package var head: String {
    """
    parts of \(Double(slot.milliseconds) / 1000) s; wait from still to part in s, of 200 cameras each from the 10th to the 20th minute
                            fixed slots               slots that follow
                                 p50     p95    mean       p50     p95    mean
    """
  }

  /// Runs one kind of camera from many moments of a slot.
  package func run(_ timer: Timer, cameras: Int = 200) -> Result {
    func waits(follows: Bool) -> [Int64] {
      (0..<cameras).flatMap { index in
        self.waits(
          timer, start: Ticks(slot.count * Int64(index) / Int64(cameras)), seed: UInt64(index), follows: follows)
      }.sorted()
    }
    return Result(timer: timer, before: waits(follows: false), after: waits(follows: true))
  }

  private func waits(_ timer: Timer, start: Ticks, seed: UInt64, follows: Bool) -> [Int64] {
    var dice = Dice(state: seed)
    var clock = SlotClock(settings: timeline, next: 0, now: .zero)
    var phase = ShutterPhase(slot: slot)
    var advice = SendAdvice(interval: .seconds(2), slot: slot, delay: .zero)
    var (still, waits) = (start, [Int64]())
    while clock.deadline < .seconds(1200) {
      let beginning = clock.deadline
      _ = clock.due(now: beginning)
      var arrivals: [Ticks] = []
      while still <= beginning {
        arrivals.append(still)
        if beginning > .seconds(600) { waits.append((beginning - still).milliseconds) }
        let unsteady = Ticks.milliseconds(Int64.random(in: -10...10, using: &dice))
        switch timer {
        case .steady: still = still + .seconds(2)
        case .slow: still = still + .milliseconds(2050)
        case .listening:
          let advised = advice.next(after: still, nextSlot: beginning)
          still = still + (follows ? advised : .seconds(2)) + .milliseconds(50) + unsteady
        case .random: still = still + .milliseconds(Int64.random(in: 500...3500, using: &dice))
        }
      }
      phase.note(arrivals)
      if follows { clock.move(by: phase.move(next: clock.deadline)) }
    }
    return waits
  }

  /// The same numbers in each run (SplitMix64).
  private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }
}
