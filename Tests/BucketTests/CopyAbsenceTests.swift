import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// A bucket that does not answer for a while gets what is still owed, and what is remembered meanwhile stays bounded.
@Suite struct CopyAbsenceTests {
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

  /// Whatever was carried out of the requests that failed, and whatever was withdrawn meanwhile.
  @Test(arguments: 0..<6) func aLongAbsenceIsRememberedBrieflyAndLosesNothingThatIsOwed(seed: Int) {
    var world = CopyWorld(seed: UInt64(seed) + 1000)
    world.settle()
    var most = 0
    for second in 0..<450 {
      world.camera.makeSegment()
      if Int.random(in: 0..<5, using: &world.random) == 0 { world.camera.takePhoto(using: &world.random) }
      // The last withdrawal is so long ago in the end that all is owed that a camera keeps.
      if second < 400, Int.random(in: 0..<100, using: &world.random) == 0 {
        world.camera.withdraw()
        world.plan.withdraw(at: world.now)
      }
      world.plan.keep(world.camera.photos)
      world.camera.publish(to: &world.plan)
      world.now = world.now + .seconds(1)
      world.begin()
      while !world.underWay.isEmpty { world.end(0, arrives: Bool.random(using: &world.random), isTold: false) }
      most = max(most, world.plan.objects.names.count)
    }
    // Those of two minutes after the time that they would have stayed: ten seconds for segments and sixty for photos.
    #expect((100..<300).contains(most), "\(most) names were remembered")
    world.settle()
    #expect(world.camera.segments.count == 15)
    for segment in world.camera.segments { #expect(world.bucket.objects[segment.uri] != nil, "\(segment.uri)") }
    #expect(world.bucket.playlist?.segments.map(\.uri) == world.camera.segments.suffix(6).map(\.uri))
    #expect(world.camera.withdrawn.isDisjoint(with: world.bucket.objects.keys), "withdrawn and still there")
    world.now = world.now + .seconds(200)
    world.settle()
    let needed = world.bucket.listed.union(["plain.m3u8", "latest.jpg", "photos.json"])
    #expect(Set(world.bucket.objects.keys).subtracting(needed) == [], "what was forgotten stays")
    #expect(world.bucket.problems == [], "\(world.bucket.problems)")
  }
}
