import Media
import Packager
import TestSupport
import Testing

@testable import Station

@Suite struct LoopSeamTests {
  private let timeline: TimelineSettings

  init() throws { timeline = try CameraSettings.sample().timeline }

  /// A camera with a still each 2 s to 2.3 s, whose last one was told of at 100 s.
  private var rhythm: StillRhythm {
    var (rhythm, time) = (StillRhythm(), Ticks.zero)
    for gap in [2000, 2300, 2100, 2200, 2150] as [Int64] {
      rhythm.note([time], collectedFrom: time)
      time = time + .milliseconds(gap)
    }
    rhythm.note([time], collectedFrom: time)
    rhythm.report(.seconds(100))
    return rhythm
  }

  private func seam(_ collectedFrom: Int64) -> LoopSeam {
    LoopSeam(rhythm, collectedFrom: .milliseconds(collectedFrom), timeline: timeline)
  }

  private func times(_ offsets: (step: Int, offset: Int64?)...) -> [LoopTime] {
    offsets.map { LoopTime(step: $0.step, slotOffset: $0.offset.map { .milliseconds($0) }) }
  }

  @Test func aSegmentFitsWhereItsFirstStillFollowsInTheCamerasRhythm() {
    #expect(seam(102_000).entered(times((0, 100))) == .zero)
    #expect(seam(102_000).entered(times((0, 0))) == .zero)
    #expect(seam(102_000).entered(times((0, 300))) == .zero)
    // Otherwise its first interval becomes one of the camera's, whichever.
    let gaps: [Int64] = [2000, 2300, 2100, 2200, 2150]
    func drawn(_ seam: LoopSeam, _ offset: Int64) -> Set<Ticks?> {
      Set((0..<200).map { _ in seam.entered(times((0, offset))) })
    }
    #expect(drawn(seam(102_000), 450) == Set(gaps.map { .milliseconds($0 - 2450) }))
    #expect(drawn(seam(101_500), 300) == Set(gaps.map { .milliseconds($0 - 1800) }))
    #expect(seam(101_000).entered(times((0, 300))) == nil, "it would come too early in any case")
    #expect(seam(103_000).entered(times((0, 0))) == .zero, "the last one is longer ago than any interval")
    #expect(seam(102_000).entered([]) == nil)
  }

  /// A camera with a still each two slots of a second, 800 ms after a slot begins, some of them up to 40 ms earlier or
  /// later, the last of which was told of at 100.8 s.
  private var steady: StillRhythm {
    var rhythm = StillRhythm()
    for (index, off) in ([0, 40, -40, 20, -20, 40, -40, 30, -30, 0] as [Int64]).enumerated() {
      let slot = Ticks.seconds(82 + 2 * Int64(index))
      rhythm.note([slot + .milliseconds(800 + off)], collectedFrom: slot)
    }
    return rhythm
  }

  @Test func aLoopOfASteadyCameraComesAtItsPlaceInTheSlots() {
    let seam = LoopSeam(steady, collectedFrom: .seconds(102), timeline: timeline)
    // Slots have been moved by 25 ms since the recording. Each interval would be one of the camera's as it is.
    for offset in [760, 775, 815] as [Int64] {
      #expect(seam.entered(times((0, offset)), phase: .milliseconds(775)) == .milliseconds(25))
      #expect(seam.entered(times((0, offset)), phase: .milliseconds(800)) == .zero)
      #expect(seam.entered(times((0, offset))) == .zero)
    }
    #expect(seam.entered(times((0, 310)), phase: .milliseconds(320)) == .milliseconds(480))
    #expect(seam.alignment(phase: .milliseconds(100)) == .milliseconds(-300), "the nearest way")
    #expect(seam.keepsPlace(.milliseconds(25), phase: .milliseconds(775)))
    #expect(!seam.keepsPlace(.zero, phase: .milliseconds(775)) && !seam.keepsPlace(.zero, phase: nil))
  }

  @Test func whereSlotsWereMovedInARecordingItsTimesFollow() {
    let seam = LoopSeam(steady, collectedFrom: .seconds(102), timeline: timeline)
    #expect(seam.continued(times((0, 775)), shift: .zero, phase: .milliseconds(775)) == .milliseconds(25))
    #expect(seam.continued(times((0, 795)), shift: .zero, phase: .milliseconds(795)) == .zero, "that is hardly seen")
    // As far as an interval of the camera leads: its shortest is 1.92 s.
    #expect(seam.continued(times((0, 820)), shift: .zero, phase: .milliseconds(950)) == .milliseconds(-100))
    #expect(
      seam.continued(times((0, 700)), shift: .zero, phase: .milliseconds(900)) == .zero, "it would come too early")
  }

  @Test func aCameraWithoutAPlaceInTheSlotsKeepsTheTimesOfItsLoop() {
    var rhythm = StillRhythm()
    for index in 0..<9 as Range<Int64> {
      let time = Ticks.milliseconds(80_000 + 2150 * index)
      rhythm.note([time], collectedFrom: .seconds(time.count / 90_000))
    }
    let seam = LoopSeam(rhythm, collectedFrom: .seconds(99), timeline: timeline)
    #expect(seam.alignment(phase: .milliseconds(300)) == nil && seam.keepsPlace(.zero, phase: .milliseconds(300)))
    #expect(seam.entered(times((0, 350)), phase: .milliseconds(300)) == .zero)
    #expect(seam.continued(times((0, 100)), shift: .milliseconds(99), phase: .zero) == .milliseconds(99))
  }

  @Test func thePlaceInTheSlotsIsThatOfMostStills() {
    func phase(_ offsets: Int64...) -> Ticks? {
      StillRhythm.phase(of: offsets.map { .milliseconds($0) }, slot: .seconds(1))
    }
    #expect(phase(800, 810, 820, 830) == .milliseconds(815))
    #expect(phase(800, 810, 820) == nil, "too few")
    #expect(phase(800, 810, 820, 901) == nil, "too far from each other")
    #expect(phase(10, 800, 800, 810, 810, 820, 820, 990) == .milliseconds(810), "the first and the last are rare")
    #expect(phase(990, 5, 970, 15, 980, 0) == Ticks(-600), "around the beginning of slots")
    #expect(phase() == nil)
  }

  @Test func allItsStillsStayInTheirSlots() {
    #expect(seam(102_000).entered(times((0, 450), (4, 100))) == nil, "the second would come before its slot")
    #expect(seam(102_000).entered(times((0, 450), (4, 150))) == .milliseconds(-150))
    #expect(seam(101_500).entered(times((0, 300), (4, 850))) == nil)
    #expect(seam(102_000).continued(times((0, 100), (4, 900)), shift: .milliseconds(99)) == .milliseconds(99))
    #expect(
      seam(102_000).continued(times((0, 100), (4, 900)), shift: .milliseconds(101)) == .milliseconds(100) - Ticks(1))
    #expect(seam(102_000).continued(times((0, 100), (4, 500)), shift: .milliseconds(700)) == .milliseconds(210))
    #expect(seam(101_000).continued(times((0, 100), (4, 900)), shift: .milliseconds(101)) == nil)
    #expect(seam(102_000).continued([], shift: .milliseconds(700)) == .milliseconds(700))
  }

  @Test func ofSeveralStillsInASlotEachStaysInItsStep() {
    // Steps of half a second: the second still shows one step after the first.
    let several = times((0, 100), (1, 600))
    #expect(seam(102_000).continued(several, shift: .milliseconds(-90)) == .milliseconds(-90))
    #expect(seam(102_000).continued(several, shift: .milliseconds(-110)) == .milliseconds(-100))
    #expect(seam(102_000).continued(several, shift: .milliseconds(450)) == .milliseconds(210))
    #expect(seam(101_500).continued(several, shift: .milliseconds(450)) == .milliseconds(400) - Ticks(1))
    #expect(seam(102_000).continued(times((0, 100)), shift: .milliseconds(-110)) == .milliseconds(-100))
    #expect(seam(101_900).continued(times((0, 700)), shift: .milliseconds(-400)) == .milliseconds(-400))
    #expect(seam(101_500).continued(times((0, 700), (1, 900)), shift: .milliseconds(-400)) == .milliseconds(-200))
  }

  @Test func anIntervalBetweenTheUsualOnesAndARareOneIsNoneOfTheCameras() {
    var (rhythm, time) = (StillRhythm(), Ticks.zero)
    for index in 0..<20 {
      rhythm.note([time], collectedFrom: time)
      time = time + .milliseconds(index == 10 ? 4000 : 1000 + Int64(index % 3) * 5)
    }
    rhythm.report(.seconds(100))
    func seam(_ collectedFrom: Int64) -> LoopSeam {
      LoopSeam(rhythm, collectedFrom: .seconds(collectedFrom), timeline: timeline)
    }
    #expect(seam(102).entered(times((0, 300))) == nil, "2.3 s never come, and the slot has room for none that do")
    let near = (0..<100).map { _ in seam(101).entered(times((0, 50))) }
    #expect(Set(near) == [.milliseconds(-50), .milliseconds(-45), .milliseconds(-40)])
    #expect(seam(104).entered(times((0, 0))) == .zero)
  }

  @Test func aSegmentWithoutKnownTimesFitsWhereAnyTimeOfItsSlotDoes() {
    #expect(seam(102_000).entered(times((0, nil))) == .zero)
    #expect(seam(100_900).entered(times((0, nil))) == nil)
    #expect(seam(101_100).entered(times((0, nil))) == .zero)
  }

  @Test func whereNothingIsKnownEverySegmentFits() {
    let seam = LoopSeam(StillRhythm(), collectedFrom: .seconds(7), timeline: timeline)
    #expect(seam.entered(times((0, 900), (3, 10))) == .zero)
  }
}
