import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// What is written to a bucket, in which order, and how long it stays.
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
