import Media
import TestSupport
import Testing

@testable import Station

/// A fleet that begins at once on two threads, by a clock of its own: each still costs the same, and the first one of each
/// camera opens an encoder besides.
private struct Fleet {
  let count: Int
  /// What a still costs with the cameras' own settings, and what it costs to open an encoder, in milliseconds.
  let (still, opening): (Int64, Int64)
  /// How much of the two processors others use while the cameras begin, in thousandths.
  var others = 0
  private(set) var watch = LoadWatch()
  private(set) var levels: [Int] = []
  private var (worked, ran) = (Ticks.zero, Ticks.zero)
  private var works: [SlotWork]
  private var taken: [LoadLevel?]
  private var now = Ticks.zero

  init(count: Int, still: Int64, opening: Int64, others: Int = 0) {
    (self.count, self.still, self.opening, self.others) = (count, still, opening, others)
    works = [SlotWork](repeating: SlotWork(), count: count)
    taken = [LoadLevel?](repeating: nil, count: count)
  }

  private static let own = EncoderSettings()
  private static let part = Ticks.seconds(2)

  private func cost(_ level: LoadLevel) -> Ticks {
    .milliseconds(still) * Int64(level.cost(for: Self.own)) / LoadLevel.full.cost(for: Self.own)
  }

  /// A second: half of the cameras have a slot. What does not fit into the time is put off.
  mutating func pass() {
    let isBusy = taken.contains(nil)
    var left = Ticks.milliseconds(2 * Int64(1000 - (isBusy ? others : 0)))
    let second = Int(now.count / Ticks.perSecond)
    var slots = Ticks.zero
    for camera in 0..<count where camera % 2 == second % 2 {
      // Segments of thirty seconds, each camera's at its own time.
      let level = taken[camera].map { (second + camera) % 30 < 2 ? watch.level : $0 }
      let opens = level == nil || level != taken[camera]
      let took = cost(level ?? watch.level) + (opens ? .milliseconds(opening) : .zero)
      let isLate = took > left
      if isLate {
        works[camera].note(.zero, .putOff, coded: taken[camera], own: Self.own)
      } else {
        taken[camera] = level ?? watch.level
        works[camera].note(took, opens ? .opening : .usual, coded: taken[camera], own: Self.own)
        left = left - took
        slots = slots + took
      }
      watch.note(
        ready: .milliseconds(isLate ? 90 : 40), of: Self.part, took: isLate ? .zero : took, isPutOff: isLate)
    }
    now = now + .seconds(1)
    ran = ran + slots
    worked = worked + (isBusy ? slots * 1000 / (1000 - others) : slots)
    // All of them send stills; those that have no encoder yet wait for it.
    let cameras = (0..<count).map { camera in
      CameraWork(
        settings: Self.own, level: taken[camera] ?? watch.level, part: Self.part, slot: works[camera].value)
    }
    watch.look(at: now, worked: worked, ran: ran, threads: 2, cameras: cameras) { _, _, _ in }
    levels.append(watch.level.index)
  }

  mutating func pass(_ seconds: Int) { for _ in 0..<seconds { pass() } }
}

extension Ticks {
  fileprivate static func / (ticks: Ticks, divisor: Int) -> Ticks { Ticks(ticks.count / Int64(divisor)) }
}

@Suite struct LoadDemandTests {
  /// A hundred cameras at 16 ms a still need 40 % of two threads. That all begin at once is no reason to step down, not
  /// even while the encoders are opened beside other work.
  @Test(arguments: [60, 100], [0, 400]) func aStartIsNotTakenForOverload(_ count: Int, _ others: Int) {
    var fleet = Fleet(count: count, still: 16, opening: 90, others: others)
    fleet.pass(180)
    #expect(fleet.levels.allSatisfy { $0 == 0 }, "\(fleet.levels)")
    #expect((count * 4 - 30...count * 4 + 30).contains(fleet.watch.report.needed))
  }

  @Test func realOverloadStepsDownWhileTheCamerasBegin() {
    var fleet = Fleet(count: 300, still: 16, opening: 90)
    fleet.pass(10)
    #expect(fleet.levels.last! >= 2)
    fleet.pass(300)
    #expect(fleet.watch.report.needed <= 900)
    let end = fleet.levels.suffix(120)
    #expect(Set(end).count <= 2, "\(fleet.levels)")
  }

  @Test func othersThatUseTheProcessorsForLongLeaveLess() {
    var demand = LoadDemand()
    let cameras = (0..<50).map { _ in
      CameraWork(settings: EncoderSettings(), level: .full, part: .seconds(2), slot: .milliseconds(20))
    }
    func seen(share: Int64) -> LoadDemand.Seen {
      LoadDemand.Seen(
        time: .seconds(1), threads: 1, worked: .milliseconds(500_000 / share), ran: .milliseconds(500),
        slots: .milliseconds(500))
    }
    #expect(demand.note(seen(share: 1000), cameras: cameras).all == 500)
    for _ in 0..<2 { _ = demand.note(seen(share: 500), cameras: cameras) }
    #expect(demand.note(seen(share: 500), cameras: cameras).all < 800)
    for _ in 0..<60 { _ = demand.note(seen(share: 500), cameras: cameras) }
    #expect((970...1000).contains(demand.note(seen(share: 500), cameras: cameras).all))
  }

  @Test func camerasThatAreNotKnownYetTakeWhatOthersDo() {
    var demand = LoadDemand()
    let cameras = (0..<40).map { number in
      CameraWork(
        settings: EncoderSettings(), level: .full, part: .seconds(2), slot: number % 4 == 0 ? .milliseconds(20) : nil)
    }
    let seen = LoadDemand.Seen(time: .seconds(1), threads: 2, worked: .zero, ran: .zero, slots: .zero)
    #expect(demand.note(seen, cameras: cameras).all == 200)
  }

  @Test func whatComesOnceOrIsPutOffIsNoPartOfASlot() {
    var work = SlotWork()
    let own = EncoderSettings()
    #expect(work.value == nil)
    work.note(.milliseconds(120), .opening, coded: .full, own: own)
    #expect(work.value == nil)
    for _ in 0..<20 {
      work.note(.milliseconds(20), .usual, coded: .full, own: own)
      work.note(.zero, .putOff, coded: .full, own: own)
    }
    #expect(work.value == .milliseconds(20))
    let level = LoadLevel.all[5]
    work.note(.milliseconds(90), .opening, coded: level, own: own)
    let reckoned = Ticks.milliseconds(20) * Int64(level.cost(for: own)) / LoadLevel.full.cost(for: own)
    #expect(work.value.map { abs(($0 - reckoned).count) <= 1 } == true)
    work.note(.zero, .usual, coded: nil, own: own)
    #expect(work.value == nil)
  }
}
