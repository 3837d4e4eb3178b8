import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// What is withdrawn or not copied any more goes from the bucket, and nothing else.
@Suite struct CopyWithdrawalTests {
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
}
