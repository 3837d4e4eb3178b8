import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport
import Testing

@testable import Bucket

/// What a bucket already holds may come from an earlier process, from another program, or be damaged.
@Suite struct ForeignBucketTests {
  private static let damage = Mutation(
    tokens: [
      "\n", "#EXT-X-DISCONTINUITY\n", "#EXT-X-ENDLIST\n", "#EXTINF:1,\np103.mp4\n", "#EXTINF:1,\n../p1.mp4\n",
      "#EXT-X-MEDIA-SEQUENCE:0\n", "#EXT-X-GAP\n", "p104.mp4\n", ",", ":", "0", "9",
    ].map { Array($0.utf8) }, front: 200)

  /// Names that look like those of this program, or nearly.
  private static let names = [
    "p1.mp4", "p102.mp4", "p150.mp4", "p-5.mp4", "p9223372036854775807.mp4", "p99999999999999999999.mp4", "p.mp4",
    "p1.0.mp4", "1.mp4", "init-00000000.mp4", "init-deadbeef.mp4", "init-.mp4", "init-x.mp4",
    "photo-1-64x48-0123456789abcdef.jpg", "photo-999999999999999-99999x99999-0123456789abcdef.jpg", "photo-1-0x0-0.jpg",
    "plain.m3u8", "latest.jpg", "photos.json", "../p1.mp4", "", "/", "index.html", "p1.mp4/", "p\u{0}1.mp4",
    String(repeating: "p", count: 2000) + ".mp4",
  ]

  /// A playlist that was left: that of the camera, with other numbers, or with damage.
  private func playlist(
    _ camera: FakeCamera, using random: inout SeededGenerator
  ) -> MediaPlaylist? {
    var left = camera.playlist
    if Bool.random(using: &random) { left.mediaSequence = Int.random(in: 0...9, using: &random) }
    if Bool.random(using: &random) { left.discontinuitySequence = Int.random(in: 0...3, using: &random) }
    let count = Int.random(in: 0...left.segments.count, using: &random)
    left.segments = Array(left.segments.prefix(count))
    let text = Array(left.render().readableBytesView)
    let bytes =
      switch Int.random(in: 0..<4, using: &random) {
      case 0: Self.damage.applied(to: text, mixing: text, most: 3, using: &random)
      case 1: Mutation.changingNumbers(in: text, most: 3, using: &random)
      default: text
      }
    return try? MediaPlaylist.parse(ByteBuffer(bytes: bytes))
  }

  @Test func whateverWasLeftIsGoneOnFromOrReplaced() {
    var wentOn = 0
    for number in DamagedSamples.numbers(250) {
      var world = CopyWorld(seed: UInt64(number) + 5000)
      for _ in 0..<Int.random(in: 0...20, using: &world.random) {
        world.camera.makeSegment()
        world.camera.publish(to: &world.plan)
      }
      let left = playlist(world.camera, using: &world.random)
      let planted = (0..<Int.random(in: 0...8, using: &world.random)).compactMap { _ in
        Self.names.randomElement(using: &world.random)
      }
      for name in planted { world.bucket.plant(name) }
      let found = (planted + [CopyPlan.playlistName]).shuffled(using: &world.random)
      #expect(world.plan.next(at: .zero)?.name == CopyJob.look.name)
      world.plan.looked(found, playlist: left, at: .zero)
      world.settle()
      // What was left may already list all that there was.
      for _ in 0..<Int.random(in: 1...4, using: &world.random) {
        world.camera.makeSegment()
        world.camera.publish(to: &world.plan)
        world.now = world.now + .seconds(1)
      }
      world.settle()
      hold(world, after: left, planted, number: number)
      if let left, CopyLine.isSound(left), let last = left.segments.last,
        let place = world.bucket.playlist?.segments.firstIndex(where: { $0.uri == last.uri })
      {
        wentOn += world.bucket.playlist?.mediaSequence == left.mediaSequence + left.segments.count - 1 - place ? 1 : 0
      }
      // In the end what is this program's and not needed is gone, and what is not its own is as it was.
      world.now = world.now + .seconds(200)
      world.settle()
      let needed = world.bucket.listed.union([CopyPlan.playlistName, CopyPlan.latestName, CopyPlan.photosName])
      let others = Set(planted).filter { !CopyPlan.isOurs($0) }
      let there = Set(world.bucket.objects.keys)
      #expect(there.subtracting(needed).subtracting(others).isEmpty, "sample \(number): \(there.subtracting(needed))")
      #expect(others.isSubset(of: there), "sample \(number): \(others.subtracting(there)) is gone")
    }
    #expect(wentOn > 20, "\(wentOn)")
  }

  private func hold(_ world: CopyWorld, after left: MediaPlaylist?, _ planted: [String], number: Int) {
    #expect(world.bucket.problems == [], "sample \(number): \(world.bucket.problems)")
    guard let playlist = world.bucket.playlist else {
      Issue.record("sample \(number): there is no playlist")
      return
    }
    #expect(playlist.segments.last?.uri == world.camera.segments.last?.uri, "sample \(number)")
    #expect(playlist.mediaSequence >= 0 && playlist.discontinuitySequence >= 0, "sample \(number)")
    guard let left, CopyLine.isSound(left), !left.segments.isEmpty else { return }
    let (old, new) = (left.mediaSequence + left.segments.count, playlist.mediaSequence + playlist.segments.count)
    #expect(new >= old, "sample \(number): \(new) after \(old)")
  }

  /// Whatever becomes of the requests that write it.
  @Test func aDocumentMayListAllThatAnyVersionInTheBucketLists() {
    for number in DamagedSamples.numbers(100) {
      var random = SeededGenerator(seed: UInt64(number))
      var document = CopyDocument()
      /// What each version lists that may be in the bucket.
      var versions: [[String]] = []
      func names() -> [String] {
        (0..<Int.random(in: 0...4, using: &random)).map { _ in "p\(Int.random(in: 0...9, using: &random)).mp4" }
      }
      if Bool.random(using: &random) {
        versions = [names()]
        document.found(mayList: Set(versions[0]), published: nil)
      }
      for step in 0..<30 {
        let version: [String]? = Int.random(in: 0...4, using: &random) == 0 ? nil : names()
        let besides = version == nil ? [] : names()
        let all = (version ?? []) + besides
        document.begin(version, besides: besides)
        versions.append(all)
        #expect(document.isBusy && document.mayList.isSuperset(of: versions.joined()), "sample \(number), step \(step)")
        let isDone = Bool.random(using: &random)
        document.finish(isDone: isDone)
        if isDone { versions = [all] }
        #expect(!document.isBusy && document.published == (isDone ? version : nil), "sample \(number), step \(step)")
        #expect(document.mayList == Set(versions.joined()), "sample \(number), step \(step)")
      }
    }
  }
}
