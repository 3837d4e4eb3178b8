import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// A camera that publishes, as far as the bucket sees it: streams whose names rise, and photos.
struct FakeCamera {
  private(set) var segments: [MediaPlaylist.Segment] = []
  private(set) var media: [String: ByteBuffer] = [:]
  private(set) var photos: [(name: PhotoName, bytes: Int)] = []
  /// Everything that was withdrawn.
  private(set) var withdrawn: Set<String> = []
  private var name = 100
  private var stream = 100
  private var time: Int64 = 0
  private var first = 0
  private var maps = 0
  static let most = 6

  /// One more segment.
  mutating func makeSegment(lasting duration: Ticks = .seconds(1)) {
    let map = "init-0000000\(maps % 3).mp4"
    let uri = "p\(name).mp4"
    name += 1
    segments.append(
      MediaPlaylist.Segment(
        uri: uri, duration: duration, programDateTime: WallTime(milliseconds: time),
        map: MediaPlaylist.Map(uri: map)))
    (media[uri], media[map]) = (ByteBuffer(string: uri), ByteBuffer(string: map))
    time += 1000
    // As many as an edge keeps serving.
    if segments.count > first + Self.most { first += 1 }
    if segments.count > 2 * Self.most + 3 {
      media[segments.removeFirst().uri] = nil
      first -= 1
    }
  }

  /// Another stream begins, with pictures from before its beginning.
  mutating func beginStream(withOtherHeader: Bool) {
    if withOtherHeader { maps += 1 }
    name += 50
    stream = name
    first = segments.count
    let now = time
    time -= 4000
    for _ in 0..<5 { makeSegment() }
    time = max(time, now)
  }

  /// The store is lost.
  mutating func forget() {
    segments.removeAll()
    (first, media) = (0, [:])
  }

  mutating func withdraw() {
    withdrawn.formUnion(segments.map(\.uri))
    withdrawn.formUnion(photos.map { "\($0.name)" })
    segments.removeAll()
    photos.removeAll()
    (first, media) = (0, [:])
    beginStream(withOtherHeader: false)
  }

  mutating func takePhoto(using random: inout SeededGenerator) {
    let photo = PhotoName(
      time: WallTime(milliseconds: time), size: PictureSize(width: 64, height: 48), using: &random)
    photos.insert((photo, 7), at: 0)
    if photos.count > 4 { photos.removeLast() }
  }

  /// The newest playlist.
  var playlist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: 1, mediaSequence: name - (segments.count - first), discontinuitySequence: stream,
      independentSegments: true, segments: Array(segments[first...]))
  }

  func publish(to plan: inout CopyPlan) {
    plan.publish(playlist, adding: media.map { ($0.key, $0.value) }, most: Self.most)
  }

  private func number(_ uri: String) -> Int { SegmentName.number(inFile: uri) ?? 0 }

  /// What a store gives to the next process.
  func restore(to plan: inout CopyPlan) {
    var entries = segments.map { CopyLine.Entry(listed: $0) }
    for index in entries.indices.dropFirst() {
      let (one, next) = (number(entries[index - 1].listed.uri), number(entries[index].listed.uri))
      entries[index].listed.discontinuity = one + 1 != next
    }
    plan.restore(entries, media: media, targetDuration: 1)
  }
}

/// A bucket that carries out requests, whatever their senders hear of it, and finds what must not be.
struct FakeBucket {
  private(set) var objects: [String: ByteBuffer] = [:]
  private(set) var problems: [String] = []
  /// The sequence number that each segment was listed with.
  private var numbers: [String: Int] = [:]
  private var newest = (sequence: Int.min, discontinuities: Int.min)

  var playlist: MediaPlaylist? {
    objects[CopyPlan.playlistName].flatMap { try? MediaPlaylist.parse($0) }
  }

  var listed: Set<String> {
    Set((playlist?.segments ?? []).flatMap { [$0.uri, $0.map?.uri].compactMap { $0 } }).union(listedPhotos)
  }

  private var listedPhotos: [String] {
    let text = objects[CopyPlan.photosName].map { String(buffer: $0) } ?? ""
    return text.split(separator: "\"").map(String.init).filter { PhotoName($0) != nil }
  }

  mutating func carryOut(_ job: CopyJob, photos: [PhotoName]) {
    switch job.work {
    case .look: break
    case .put(let bytes):
      objects[job.name] = bytes
      if job.name == CopyPlan.playlistName { check() }
    case .putPhoto: objects[job.name] = ByteBuffer(string: "a photo")
    case .delete:
      if listed.contains(job.name) { problems.append("\(job.name) is removed and listed") }
      objects[job.name] = nil
      // Who has lost the playlist begins anew.
      if job.name == CopyPlan.playlistName { (numbers, newest) = ([:], (.min, .min)) }
    }
    for name in listed where objects[name] == nil { problems.append("\(name) is listed and not there: \(job.name)") }
  }

  private mutating func check() {
    guard let playlist else { return problems.append("the playlist cannot be read") }
    if playlist.mediaSequence < newest.sequence { problems.append("the media sequence falls") }
    if playlist.discontinuitySequence < newest.discontinuities { problems.append("the discontinuity sequence falls") }
    newest = (playlist.mediaSequence, playlist.discontinuitySequence)
    var discontinuities = playlist.discontinuitySequence
    for (index, segment) in playlist.segments.enumerated() {
      let number = playlist.mediaSequence + index
      if let known = numbers[segment.uri], known != number {
        problems.append("\(segment.uri) had the number \(known) and has \(number)")
      }
      numbers[segment.uri] = number
      discontinuities += segment.discontinuity ? 1 : 0
    }
    for (one, next) in zip(playlist.segments, playlist.segments.dropFirst()) {
      let isSame = SegmentName.number(inFile: one.uri).map { $0 + 1 } == SegmentName.number(inFile: next.uri)
      if !isSame, !next.discontinuity { problems.append("no discontinuity between \(one.uri) and \(next.uri)") }
    }
  }
}

/// A plan, its camera, its bucket, and a clock.
struct CopyWorld {
  var (camera, plan, bucket) = (FakeCamera(), CopyPlan(), FakeBucket())
  var now = Ticks.zero
  var underWay: [CopyJob] = []
  var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    for _ in 0..<5 { camera.makeSegment() }
    camera.publish(to: &plan)
    plan.show(ByteBuffer(string: "picture"))
  }

  mutating func begin() { while let job = plan.next(at: now) { underWay.append(job) } }

  /// Lets one request end.
  ///
  /// - Parameters:
  ///   - arrives: whether the bucket carries it out.
  ///   - isTold: whether the plan hears that.
  mutating func end(_ index: Int, arrives: Bool = true, isTold: Bool = true) {
    let job = underWay.remove(at: index)
    if case .putPhoto(let photo) = job.work, !camera.photos.contains(where: { $0.name == photo }) {
      return plan.finish(job, .gone, at: now)
    }
    if arrives { bucket.carryOut(job, photos: camera.photos.map(\.name)) }
    if case .look = job.work, arrives, isTold {
      plan.looked(Array(bucket.objects.keys), playlist: bucket.playlist, at: now)
    }
    plan.finish(job, arrives && isTold ? .done : .failed, at: now)
  }

  mutating func settle() {
    for _ in 0..<2000 {
      begin()
      if underWay.isEmpty {
        guard !plan.isSettled, let next = plan.deadline(after: now) else { return }
        now = next
      } else {
        end(.random(in: 0..<underWay.count, using: &random))
      }
    }
    Issue.record("it does not come to an end")
  }

  /// The process ends, and another one goes on with what the store has.
  mutating func restart(keepsStore: Bool) {
    for job in underWay where Bool.random(using: &random) {
      if case .putPhoto(let photo) = job.work, !camera.photos.contains(where: { $0.name == photo }) { continue }
      bucket.carryOut(job, photos: camera.photos.map(\.name))
    }
    underWay.removeAll()
    plan = CopyPlan()
    if keepsStore { camera.restore(to: &plan) } else { camera.forget() }
    camera.beginStream(withOtherHeader: Bool.random(using: &random))
    camera.publish(to: &plan)
    plan.show(ByteBuffer(string: "picture"))
    plan.keep(camera.photos)
  }
}

@Suite struct CopyPlanTests {
  @Test func mediaComesBeforeThePlaylistThatListsIt() {
    var (world, order) = (CopyWorld(seed: 1), [String]())
    while true {
      world.begin()
      guard let job = world.underWay.first else { break }
      order.append(job.name)
      world.end(0)
    }
    let playlist = order.firstIndex(of: "plain.m3u8")
    #expect(order.first == "" && playlist == 8, "\(order)")
    #expect(order[1..<7] == ["init-00000000.mp4", "p100.mp4", "p101.mp4", "p102.mp4", "p103.mp4", "p104.mp4"])
    #expect(order.contains("latest.jpg") && order.filter { $0 == "plain.m3u8" }.count == 1)
    #expect(world.bucket.playlist?.segments.map(\.uri) == world.camera.segments.map(\.uri))
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
    #expect(world.plan.waiting == 0 && world.plan.counters.written == Int64(order.count) - 1)
  }

  @Test func cachesKeepMediaForEverAndListsForMoments() {
    let jobs = [
      "p1.mp4": "video/mp4", "plain.m3u8": "application/vnd.apple.mpegurl", "latest.jpg": "image/jpeg",
      "photos.json": "application/json",
    ]
    for (name, type) in jobs { #expect(CopyJob(name: name, work: .delete).type == type) }
    #expect(CopyJob(name: "p1.mp4", work: .delete).caching == "public, max-age=31536000, immutable")
    #expect(CopyJob(name: "plain.m3u8", work: .delete, seconds: 2).caching == "public, max-age=2")
    var world = CopyWorld(seed: 2)
    while true {
      world.begin()
      guard let job = world.underWay.first else { break }
      #expect((job.seconds == nil) == (job.name.hasSuffix(".mp4") || job.name.isEmpty), "\(job.name)")
      world.end(0)
    }
  }

  @Test func whatLeavesThePlaylistStaysForAWhileAndGoes() {
    var world = CopyWorld(seed: 3)
    world.settle()
    for _ in 0..<12 {
      world.camera.makeSegment()
      world.camera.publish(to: &world.plan)
      world.now = world.now + .seconds(1)
      world.settle()
    }
    #expect(world.bucket.playlist?.segments.first?.uri == "p111.mp4")
    #expect(world.bucket.objects["p106.mp4"] != nil && world.bucket.objects["p100.mp4"] == nil)
    world.now = world.now + .seconds(60)
    world.settle()
    let there = Set(world.bucket.objects.keys.filter { $0.hasSuffix(".mp4") })
    #expect(there == Set(world.camera.segments.suffix(6).map(\.uri) + ["init-00000000.mp4"]))
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }

  @Test func aWithdrawalReplacesThePlaylistAndRemovesTheRestAtOnce() {
    var world = CopyWorld(seed: 4)
    world.camera.takePhoto(using: &world.random)
    world.plan.keep(world.camera.photos)
    world.settle()
    let (before, first) = (world.now, world.bucket.playlist?.mediaSequence ?? 0)
    let old = world.camera.segments.map(\.uri)
    #expect(world.bucket.objects.keys.contains { PhotoName($0) != nil })
    world.camera.withdraw()
    world.plan.withdraw(at: world.now)
    world.plan.keep([])
    world.camera.publish(to: &world.plan)
    world.plan.show(ByteBuffer(string: "slate"))
    var order: [CopyJob] = []
    while true {
      world.begin()
      guard let job = world.underWay.first else { break }
      order.append(job)
      world.end(0)
    }
    #expect(world.now == before)
    for name in old { #expect(world.bucket.objects[name] == nil) }
    #expect(!world.bucket.objects.keys.contains { PhotoName($0) != nil })
    #expect(world.bucket.objects["latest.jpg"] == ByteBuffer(string: "slate"))
    // The playlist was replaced and never away; its numbers go on behind a discontinuity.
    #expect(!order.contains { if case .delete = $0.work { $0.name == "plain.m3u8" } else { false } })
    #expect(world.bucket.playlist?.mediaSequence == first + old.count)
    #expect(world.bucket.playlist?.segments.first?.discontinuity == true)
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }

  @Test func withoutAnotherPlaylistTheOldOneGoesAfterAMoment() {
    var world = CopyWorld(seed: 5)
    world.settle()
    world.plan.withdraw(at: world.now)
    world.begin()
    #expect(world.underWay.isEmpty && world.bucket.playlist != nil)
    world.now = world.now + .seconds(2)
    world.settle()
    #expect(world.bucket.objects.keys.allSatisfy { $0.hasPrefix("init-") }, "\(world.bucket.objects.keys)")
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }

  @Test func whatArrivesLongAfterItsRemovalIsRemovedAgain() {
    var world = CopyWorld(seed: 13)
    world.begin()
    world.end(0)
    world.begin()
    let late = world.underWay
    while !world.underWay.isEmpty { world.end(0, arrives: false) }
    world.camera.withdraw()
    world.plan.withdraw(at: world.now)
    world.camera.publish(to: &world.plan)
    world.settle()
    for job in late { world.bucket.carryOut(job, photos: []) }
    #expect(!world.camera.withdrawn.isDisjoint(with: world.bucket.objects.keys))
    world.now = world.now + .seconds(60)
    world.settle()
    #expect(world.camera.withdrawn.isDisjoint(with: world.bucket.objects.keys) && world.bucket.problems == [])
  }

  @Test func theNewestPictureIsWrittenAgainWhereALateOneMayHaveReplacedIt() {
    var world = CopyWorld(seed: 14)
    world.settle()
    world.plan.show(ByteBuffer(string: "withdrawn"))
    world.now = world.now + .seconds(1)
    world.begin()
    let late = world.underWay
    #expect(late.map(\.name) == ["latest.jpg"])
    world.end(0, arrives: false)
    world.camera.withdraw()
    world.plan.withdraw(at: world.now)
    world.camera.publish(to: &world.plan)
    world.plan.show(ByteBuffer(string: "slate"))
    world.settle()
    #expect(world.bucket.objects["latest.jpg"] == ByteBuffer(string: "slate"))
    for job in late { world.bucket.carryOut(job, photos: []) }
    world.now = world.now + .seconds(60)
    world.settle()
    #expect(world.bucket.objects["latest.jpg"] == ByteBuffer(string: "slate"))
  }

  @Test func aFailureDuringAWithdrawalTakesThePlaylistAway() {
    var world = CopyWorld(seed: 6)
    world.settle()
    let old = world.camera.segments.map(\.uri)
    world.camera.withdraw()
    world.plan.withdraw(at: world.now)
    world.camera.publish(to: &world.plan)
    world.begin()
    world.end(0, arrives: false)
    var order: [String] = []
    while !world.underWay.isEmpty { world.end(0) }
    while let job = world.plan.next(at: world.now), order.count < 10 {
      world.underWay.append(job)
      order.append(job.name)
      world.end(0)
    }
    #expect(order.first == "plain.m3u8" && Set(old).isSubset(of: order[1...]), "\(order)")
    world.settle()
    #expect(world.bucket.playlist?.segments.count == 5 && world.bucket.problems == [])
  }

  @Test func aCameraThatIsNotCopiedLeavesNothing() {
    var world = CopyWorld(seed: 7)
    world.camera.takePhoto(using: &world.random)
    world.plan.keep(world.camera.photos)
    world.settle()
    world.plan.close(at: world.now)
    world.plan.show(ByteBuffer(string: "late"))
    world.plan.keep(world.camera.photos)
    world.settle()
    world.now = world.now + .seconds(100)
    world.settle()
    #expect(world.bucket.objects.isEmpty, "\(world.bucket.objects.keys)")
    // It comes back, and the numbers go on.
    world.camera.beginStream(withOtherHeader: false)
    world.camera.publish(to: &world.plan)
    world.settle()
    #expect(world.bucket.playlist?.mediaSequence == 105 && world.bucket.problems == [])
    // One that another process has copied goes too.
    world.plan = CopyPlan()
    world.plan.close(at: world.now)
    world.settle()
    world.now = world.now + .seconds(100)
    world.settle()
    #expect(world.bucket.objects.isEmpty, "\(world.bucket.objects.keys)")
  }

  @Test func whatOthersHavePutThereStays() {
    var world = CopyWorld(seed: 8)
    let others = ["index.html", "p1.0.mp4", "px.mp4", "film.mp4", "loop-1-1.mp4", "photo-1.jpg", "sub/p1.mp4", "1.mp4"]
    for name in others {
      world.bucket.carryOut(CopyJob(name: name, work: .put(ByteBuffer(string: "x"))), photos: [])
    }
    world.bucket.carryOut(CopyJob(name: "p7.mp4", work: .put(ByteBuffer(string: "x"))), photos: [])
    world.settle()
    world.plan.close(at: world.now)
    world.settle()
    world.now = world.now + .seconds(100)
    world.settle()
    #expect(Set(world.bucket.objects.keys) == Set(others))
  }

  @Test func anAbsenceLosesNothingThatIsOwed() {
    var world = CopyWorld(seed: 9)
    world.settle()
    let before = world.bucket.playlist
    var made = 0
    for _ in 0..<9 {
      world.camera.makeSegment()
      made += 1
      world.camera.publish(to: &world.plan)
      world.now = world.now + .seconds(1)
      world.begin()
      while !world.underWay.isEmpty { world.end(0, arrives: false) }
    }
    #expect(world.plan.waiting > 0)
    world.settle()
    let after = world.bucket.playlist
    #expect(after?.mediaSequence == (before?.mediaSequence ?? 0) + (before?.segments.count ?? 0) + made - 6)
    for segment in world.camera.segments { #expect(world.bucket.objects[segment.uri] != nil, "\(segment.uri)") }
    #expect(world.plan.counters.skipped == 0 && world.bucket.problems == [])
  }

  @Test func whatIsExpiredAfterAnAbsenceIsSkipped() {
    var world = CopyWorld(seed: 10)
    world.settle()
    for _ in 0..<600 {
      world.camera.makeSegment()
      world.camera.publish(to: &world.plan)
      world.now = world.now + .seconds(1)
    }
    world.settle()
    #expect(world.plan.counters.skipped == 600 - 15)
    #expect(world.bucket.playlist?.segments.map(\.uri) == world.camera.segments.suffix(6).map(\.uri))
    #expect(world.bucket.playlist?.mediaSequence == 699)
    // What the old playlist listed stays for a while after it was replaced, however late.
    #expect(world.bucket.objects["p104.mp4"] != nil)
    world.now = world.now + .seconds(60)
    world.settle()
    #expect(world.bucket.objects["p104.mp4"] == nil && world.bucket.problems == [])
  }

  @Test(arguments: [true, false]) func anotherProcessGoesOnWithTheNumbers(isAway: Bool) {
    var world = CopyWorld(seed: 11)
    world.settle()
    for _ in 0..<4 {
      world.camera.makeSegment()
      world.camera.publish(to: &world.plan)
      if !isAway { world.settle() }
    }
    world.restart(keepsStore: true)
    world.settle()
    let playlist = world.bucket.playlist
    #expect(playlist?.segments.map(\.uri) == ["p104", "p105", "p106", "p107", "p108", "p163"].map { $0 + ".mp4" })
    #expect(
      playlist?.mediaSequence == 104
        && playlist?.segments.map(\.discontinuity) == [false, false, false, false, false, true])
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }

  @Test(arguments: [Int.max, -1, 1 << 60]) func aDamagedPlaylistIsReplaced(number: Int) {
    var world = CopyWorld(seed: 12)
    var damaged = world.camera.playlist
    (damaged.mediaSequence, damaged.discontinuitySequence) = (number, number)
    #expect(world.plan.next(at: .zero)?.name == "")
    world.plan.looked(["plain.m3u8"], playlist: damaged, at: .zero)
    world.settle()
    #expect(world.bucket.playlist?.mediaSequence == 100 && world.bucket.problems == [])
  }

  /// Whatever fails, arrives unnoticed or comes late, and whenever the process restarts.
  @Test(arguments: 0..<60) func nothingIsListedThatIsNotThereWhateverHappens(seed: Int) {
    var world = CopyWorld(seed: UInt64(seed) + 100)
    var (failing, withdrawnBefore) = (0, Set<String>())
    for _ in 0..<400 {
      switch Int.random(in: 0..<20, using: &world.random) {
      case 0..<5:
        world.camera.makeSegment()
        world.camera.publish(to: &world.plan)
        world.now = world.now + .seconds(1)
      case 5:
        world.camera.takePhoto(using: &world.random)
        world.plan.keep(world.camera.photos)
      case 6:
        world.plan.show(ByteBuffer(string: "picture"))
      case 7 where Int.random(in: 0..<6, using: &world.random) == 0:
        world.camera.withdraw()
        world.plan.withdraw(at: world.now)
        world.plan.keep(world.camera.photos)
        if Bool.random(using: &world.random) { world.begin() }
        world.camera.publish(to: &world.plan)
      case 8 where Int.random(in: 0..<6, using: &world.random) == 0:
        world.restart(keepsStore: Bool.random(using: &world.random))
      case 9: world.now = world.now + .seconds(Int64.random(in: 0...20, using: &world.random))
      case 10 where failing == 0: failing = Int.random(in: 0...30, using: &world.random)
      default:
        world.begin()
        guard !world.underWay.isEmpty else { continue }
        let index = Int.random(in: 0..<world.underWay.count, using: &world.random)
        if failing > 0 { failing -= 1 }
        let isFine = failing == 0 || Int.random(in: 0..<4, using: &world.random) == 0
        world.end(index, arrives: isFine || Bool.random(using: &world.random), isTold: isFine)
      }
      guard world.bucket.problems.isEmpty else { break }
    }
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
    world.settle()
    withdrawnBefore = world.camera.withdrawn
    #expect(withdrawnBefore.isDisjoint(with: world.bucket.objects.keys), "withdrawn and still there")
    #expect(world.bucket.playlist?.segments.last?.uri == world.camera.segments.last?.uri)
    // In the end there is what is needed and nothing else.
    world.now = world.now + .seconds(200)
    world.settle()
    let needed = world.bucket.listed.union(["plain.m3u8", "latest.jpg", "photos.json"])
    #expect(
      Set(world.bucket.objects.keys).isSubset(of: needed), "\(Set(world.bucket.objects.keys).subtracting(needed))")
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }
}
