import Foundation
import Hours
import Logging
import Media
import NIOCore
import Packager
import Picture
import SystemPackage
import TestSupport
import Testing

@testable import Station

/// Random lives of one camera's stream in one folder, each step held against the rules of HLS.
///
/// `QUIETCAM_MODEL_COUNT` runs more histories than usual, `QUIETCAM_MODEL_SEED` begins with another seed; a history
/// that fails says its own.
@Suite struct StreamModelTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let count = environment["QUIETCAM_MODEL_COUNT"].flatMap(Int.init) ?? 200
  private static let seed = environment["QUIETCAM_MODEL_SEED"].flatMap(UInt64.init) ?? 1

  @Test(arguments: 0..<4)
  func theRulesHoldOverManyLives(quarter: Int) async throws {
    let jpegs = try StreamHistory.stills()
    for index in 0..<Self.count where index % 4 == quarter {
      let seed = Self.seed + UInt64(index)
      var history = try StreamHistory(seed: seed, jpegs: jpegs)
      let mistakes = try await history.run()
      guard !mistakes.isEmpty else { continue }
      let report: Comment = """
        QUIETCAM_MODEL_SEED=\(seed) QUIETCAM_MODEL_COUNT=1
        \(history.told.joined(separator: "\n"))
        \(mistakes.joined(separator: "\n"))
        """
      Issue.record(report)
    }
  }
}

/// One camera's folder over several lives of the process.
struct StreamHistory {
  private var generator: SeededGenerator
  private let jpegs: [ByteBuffer]
  private let folder: String
  private let clock = HandClock()
  private let disk = FaultyDisk()
  private let logger = Logger.silent
  private var settings: CameraSettings
  private var plainSegment: Ticks
  /// Whether parts are held until the publish offset where a veil can begin.
  private let holds: Bool
  private var judge: StreamJudge
  /// What has happened, for the report of a failure.
  private(set) var told: [String] = []
  /// Whether the last life came to write no more than which names it uses: with that lost, nothing tells of it.
  private var isStillborn = false
  /// The newest part when this life was told to show the loop until it is resumed; `nil` where it was not.
  private var pausedAt: PartPosition?

  /// Whether the camera is outside its hours.
  private var isShut = false

  /// Stills of 32 x 32 pixels, each different.
  static func stills() throws -> [ByteBuffer] {
    FFmpegLog.redirect(to: .silent)
    let size = PictureSize(width: 32, height: 32)
    var encoder = JPEGEncoder(quality: 80)
    return try (0..<6).map { number in
      let pixels = (0..<3 * size.pixels).map { UInt8(clamping: 40 * number + $0 / 7 % 3 * 20) }
      return try encoder.encode(try Frame.rgb(pixels, size: size))
    }
  }

  init(seed: UInt64, jpegs: [ByteBuffer]) throws {
    var dice = SeededGenerator(seed: seed)
    self.jpegs = jpegs
    folder = TemporaryFolder.path()
    let cuts: [(part: Ticks, segment: Ticks)] = [
      (.seconds(1), .seconds(4)), (.milliseconds(500), .seconds(1)), (.seconds(2), .seconds(2)),
      (.seconds(1), .seconds(2)), (.seconds(5), .seconds(10)), (.seconds(1), .seconds(3)),
    ]
    let cut = cuts.randomElement(using: &dice) ?? cuts[0]
    plainSegment = .seconds([1, 1, 2, 5][Int(seed / 4 % 4)])
    settings = try CameraSettings.sample(
      size: PictureSize(width: 32, height: 32), part: cut.part, segment: cut.segment, plainSegment: plainSegment,
      hold: cut.segment * 2, steady: cut.segment)
    settings.off = Bool.random(using: &dice) ? .cached : .seamless
    settings.marksRecorded = Bool.random(using: &dice)
    settings.delay = [.zero, .zero, .seconds(3)].randomElement(using: &dice) ?? .zero
    settings.remember = .seconds(60)
    holds = Bool.random(using: &dice)
    generator = dice
    judge = StreamJudge(step: settings.timeline.step)
    told = [
      "off \(settings.off), parts of \(cut.part), segments of \(cut.segment) and \(plainSegment), delay \(settings.delay)"
        + (holds ? ", held where a veil can begin" : "")
    ]
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

  private mutating func tell(_ text: String) { told.append(text) }

  mutating func run() async throws -> [String] {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for life in 0..<Int.random(in: 1...5, using: &generator) {
      tell("life \(life)")
      try await live()
      guard judge.mistakes.isEmpty else { return judge.mistakes }
      try betweenLives()
    }
    return judge.mistakes
  }

  // MARK: One life

  private mutating func live() async throws {
    // Some lives end before they have written much.
    (isStillborn, pausedAt, isShut) = (chance(6), nil, false)
    disk.become(isStillborn ? .dying(after: Int.random(in: 0...12, using: &generator)) : .good)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let mirror = try Mirror(folder: folder, logger: logger, willDo: disk.willDo)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, holds: holds, logger: logger)
    judge.look(at: camera.edge, now: clock.now)
    await settle(mirror)
    if isStillborn { tell("killed as it begins") }
    var isDying = isStillborn
    var hangs = 0
    for _ in 0..<Int.random(in: 1...40, using: &generator) where judge.mistakes.isEmpty && !isDying {
      hangs = hang(hangs)
      await happen(to: camera, &loop, mirror)
      isDying = chance(3)
      if isDying {
        let steps = Int.random(in: 0...6, using: &generator)
        tell("killed after \(steps) steps of the mirror")
        disk.become(.dying(after: steps))
      }
      passTime()
      loop.turn()
      judge.look(at: camera.edge, now: clock.now)
      // Much can happen before a part that is held is published, or nothing.
      if chance(60) { publishHeld(camera, &loop) }
      judgeBounds(camera)
      // Names that come again stand for whole segments, and are announced with the segment before.
      judge.hold(
        pausedAt == nil || pausedAt == camera.edge.snapshot?.position || settings.off == .cached
          || !camera.counters.source.looksLive,
        "a pause waits for its segment's end")
      // A slow disk skips states now and then.
      if isDying || (hangs == 0 && chance(85)) {
        await settle(mirror)
        if !isDying, disk.isGood {
          judge.becameDurable()
          judgeFolder()
        }
      }
    }
    _ = consume loop
    if hangs > 0 { disk.become(.dying(after: Int.random(in: 0...6, using: &generator))) }
    if !isDying, hangs == 0 {
      await settle(mirror)
      if disk.isGood { judge.becameDurable() }
    }
    disk.become(.dying(after: 0))
    await mirror.close()
    let isSetAside = !FileManager.default.fileExists(atPath: folder + "/" + StreamState.fileName)
    judge.processEnded(losesState: isSetAside)
  }

  /// Lets the part be published that is held.
  private mutating func publishHeld(_ camera: Camera, _ loop: inout CameraLoop) {
    guard let due = loop.heldUntil else { return }
    clock.advance(by: max(.zero, due - clock.now))
    loop.turn()
    judge.look(at: camera.edge, now: clock.now)
    judge.hold(loop.heldUntil == nil, "a part is held longer than the publish offset")
  }

  private func settle(_ mirror: Mirror) async {
    await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
  }

  /// Lets the disk hang for some slots, fewer than fill a window: what it missed then, only the time can tell.
  private mutating func hang(_ hangs: Int) -> Int {
    if hangs > 1 { return hangs - 1 }
    if hangs == 1 {
      tell("the disk goes on")
      disk.become(.good)
    }
    guard hangs == 0, disk.isGood, chance(2) else { return 0 }
    tell("the disk hangs")
    disk.become(.hanging)
    return Int.random(in: 1...4 * settings.timeline.partsPerSegment, using: &generator)
  }

  private mutating func passTime() {
    let part = settings.timeline.part
    switch Int.random(in: 0..<100, using: &generator) {
    case 0..<3: clock.advance(by: part + .milliseconds(Int64.random(in: 1...2500, using: &generator)))
    case 3..<5:
      clock.advance(by: settings.timeline.segment + .milliseconds(Int64.random(in: 0...20_000, using: &generator)))
      tell("a stall")
    default: clock.advance(by: part)
    }
    if chance(3) {
      let step = Int64.random(in: -7_200_000...7_200_000, using: &generator)
      clock.stepWall(byMilliseconds: step)
      tell("the wall clock steps by \(step) ms")
    }
  }

  private mutating func happen(to camera: Camera, _ loop: inout CameraLoop, _ mirror: Mirror) async {
    if chance(60) {
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        if let jpeg = jpegs.randomElement(using: &generator) { _ = try? camera.take(jpeg) }
      }
    }
    if chance(10) {
      let task = Task { await camera.plainPlaylist(deadline: .now, isWanted: { false }) }
      task.cancel()
      _ = await task.value
      tell("plain is asked for")
    }
    if chance(8), let order = Director.Order.allCases.randomElement(using: &generator) {
      tell("\(order)")
      // Orders wait for it.
      publishHeld(camera, &loop)
      loop.carryOut(.order(order))
      if order == .pause { pausedAt = camera.edge.snapshot?.position }
      if order == .resume, !isShut { pausedAt = nil }
    }
    if chance(4) {
      isShut.toggle()
      tell(isShut ? "the hours end" : "the hours begin")
      // Orders wait for the part that is held. A minute of a week that no history reaches.
      publishHeld(camera, &loop)
      loop.carryOut(.hours(isShut ? try? Hours("thu 03:17-03:18 UTC") : nil))
      pausedAt =
        isShut ? pausedAt ?? camera.edge.snapshot?.position : camera.counters.standing.isPaused ? pausedAt : nil
    }
    if chance(2) {
      tell("withdraw")
      let names = judge.withdrawnNames
      loop.carryOut(.withdraw)
      pausedAt = camera.edge.snapshot?.position
      judge.withdrawn(from: camera.edge)
      judge.look(at: camera.edge, now: clock.now)
      judge.hold(camera.recent.file(span: .seconds(60), segment: .seconds(1)) == nil, "withdrawn media can be recorded")
      judge.hold(camera.edge.plain == nil, "the playlist without parts stays after a withdrawal")
      if disk.isHanging { disk.become(.good) }
      await settle(mirror)
      if disk.isGood {
        let left = names.intersection(files())
        judge.hold(left.isEmpty, "withdrawn media is on disk: \(left)")
        judge.becameDurable()
      }
    }
    if !disk.isHanging, chance(3) {
      let mood = [FaultyDisk.Mood.good, .failing(code: .noSpace), .failing(code: .permissionDenied)]
      let next = mood.randomElement(using: &generator) ?? .good
      tell("the disk is \(next)")
      disk.become(next)
      if next != .good { judge.diskFailed() }
    }
  }

  // MARK: Bounds

  private mutating func judgeBounds(_ camera: Camera) {
    let timeline = settings.timeline
    // What is listed, what has left and is served on, a round of names that come again, and what earlier lives left.
    let segments = 2 * timeline.listedSegments + 12 + 4 * timeline.listedSegments
    let parts = (9 + 5 * timeline.listedSegments) * timeline.partsPerSegment + 6
    judge.hold(
      camera.edge.mediaCount <= segments + parts + 40 + mostPlain,
      "\(camera.edge.mediaCount) files of media are in memory")
  }

  /// What the playlist without parts may have in a folder: what earlier lives left, and three times all that it serves,
  /// as it may end and begin anew before the time of what it listed is over.
  private var mostPlain: Int {
    let listed = settings.timeline.plain.listedSegments
    return 6 * listed + 3 * (2 * listed + 5)
  }

  private func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

  private mutating func judgeFolder() {
    let found = files().count
    let most = 6 * settings.timeline.listedSegments + 12 + 4 * settings.timeline.partsPerSegment + 12
    judge.hold(found <= most + mostPlain, "\(found) files are in the folder")
  }

  // MARK: Between two lives

  private mutating func betweenLives() throws {
    clock.advance(by: .milliseconds(Int64.random(in: 0...90_000, using: &generator)))
    if chance(20) { clock.stepWall(byMilliseconds: Int64.random(in: -600_000...600_000, using: &generator)) }
    let state = folder + "/" + StreamState.fileName
    switch Int.random(in: isStillborn ? 12..<100 : 0..<100, using: &generator) {
    case 0..<6:
      tell("the state is missing")
      try? FileManager.default.removeItem(atPath: state)
      judge.processEnded(losesState: true)
    case 6..<12:
      tell("the state is damaged")
      try Data("{\"reservedName\":".utf8).write(to: URL(filePath: state))
      judge.processEnded(losesState: true)
    case 12..<24:
      settings.encoder.crf = settings.encoder.crf == 30 ? 24 : 30
      settings.picture.size = PictureSize(width: settings.picture.size.width == 32 ? 48 : 32, height: 32)
      tell("the picture is \(settings.picture.size)")
    case 24..<30:
      let timeline = settings.timeline
      let segment = timeline.segment == .seconds(10) ? Ticks.seconds(20) : .seconds(10)
      plainSegment = plainSegment == .seconds(1) ? .seconds(3) : .seconds(1)
      settings.timeline = try TimelineSettings(
        rate: 2, part: timeline.part, segment: segment, plainSegment: plainSegment)
      tell("segments are \(segment) long, and \(plainSegment)")
      judge.processEnded(losesState: true)
    case 30..<36:
      tell("a torn file lies there")
      try Data([1, 2, 3]).write(to: URL(filePath: folder + "/.quietcam-7.mp4"))
    default: break
    }
  }
}
