import Media
import NIOCore
import Packager
import Testing

@testable import Station

@Suite struct PlainHistoryTests {
  private let step = Ticks.milliseconds(500)

  private func slot(at start: Ticks, steps: Int, changes: [(Int, String)] = []) -> PlainHistory.Slot {
    PlainHistory.Slot(
      start: start, date: WallTime(milliseconds: 1_000_000 + start.milliseconds), steps: steps,
      changes: changes.map { ShownPicture(step: $0, jpeg: ByteBuffer(string: $1)) })
  }

  /// Begin, length in steps, and pictures by step of each.
  private func told(_ slots: [PlainHistory.Slot]) -> [String] {
    slots.map { slot in
      "\(slot.start.milliseconds)+\(slot.steps) "
        + slot.changes.map { "\($0.step)\(String(buffer: $0.jpeg))" }.joined()
    }
  }

  @Test func aSlotIsCutWhereSegmentsMeet() {
    let long = slot(at: .milliseconds(1500), steps: 5, changes: [(0, "a"), (2, "b"), (3, "c")])
    #expect(told(long.pieces(segment: .seconds(1), step: step)) == ["1500+1 0a", "2000+2 1b", "3000+2 0c"])
    #expect(
      long.pieces(segment: .seconds(1), step: step).map { $0.date.milliseconds - $0.start.milliseconds }
        == [1_000_000, 1_000_000, 1_000_000])
    let short = slot(at: .milliseconds(-500), steps: 1)
    #expect(told(short.pieces(segment: .seconds(1), step: step)) == ["-500+1 "])
  }

  @Test func aShortHistoryIsLedByItsOldestPicture() {
    var history = PlainHistory(span: .seconds(4), step: step)
    #expect(history.filled(standing: nil).isEmpty)
    history.append(slot(at: .seconds(10), steps: 2, changes: [(1, "a")]))
    history.append(slot(at: .seconds(11), steps: 2))
    #expect(told(history.filled(standing: nil)) == ["7000+6 0a", "10000+2 0a1a", "11000+2 "])
  }

  @Test func whatIsTooOldGoesButForThePictureThatStands() {
    var history = PlainHistory(span: .seconds(2), step: step)
    for second in 0..<6 {
      history.append(slot(at: .seconds(Int64(second)), steps: 2, changes: second == 0 ? [(1, "a")] : []))
    }
    #expect(told(history.filled(standing: nil)) == ["3000+2 0a", "4000+2 ", "5000+2 "])
  }
}
