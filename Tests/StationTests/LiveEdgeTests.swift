import Media
import NIOCore
import Packager
import Playlist
import Synchronization
import Testing

@testable import Station

@Suite struct LiveEdgeTests {
  private func snapshot(_ sequence: Int, _ part: Int) -> PlaylistSnapshot {
    PlaylistSnapshot(
      position: PartPosition(sequence: sequence, part: part),
      hinted: PartPosition(sequence: sequence, part: part + 1), hintedName: "\(sequence).\(part + 1).mp4",
      media: MediaPlaylist(targetDuration: 4, mediaSequence: sequence), delta: nil,
      multivariant: EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "m"))
  }

  private func position(_ outcome: LiveEdge.Outcome) -> PartPosition? {
    if case .published(let snapshot) = outcome { snapshot.position } else { nil }
  }

  @Test func mediaAppearsAndDisappearsWithItsPlaylist() {
    let edge = LiveEdge()
    edge.publish(snapshot(1, 0), adding: [("a.mp4", ByteBuffer(string: "a"))])
    #expect(edge.media(named: "a.mp4") == ByteBuffer(string: "a"))
    edge.publish(snapshot(1, 1), adding: [("b.mp4", ByteBuffer(string: "b"))], removing: ["a.mp4"])
    #expect(edge.media(named: "a.mp4") == nil)
    #expect(edge.media(named: "b.mp4") != nil)
  }

  @Test func aWaitForWhatIsPublishedEndsAtOnce() async {
    let edge = LiveEdge()
    edge.publish(snapshot(5, 2), adding: [])
    #expect(
      position(await edge.wait(for: PartPosition(sequence: 5, part: 2), deadline: .now))
        == PartPosition(sequence: 5, part: 2))
    #expect(position(await edge.wait(for: PartPosition(sequence: 4, part: 9), deadline: .now)) != nil)
  }

  @Test func allWhoWaitForASlotGetTheSameEdition() async {
    let edge = LiveEdge()
    edge.publish(snapshot(1, 0), adding: [])
    await withTaskGroup(of: PartPosition?.self) { group in
      for _ in 0..<1000 {
        group.addTask {
          position(await edge.wait(for: PartPosition(sequence: 1, part: 1), deadline: .now + .seconds(60)))
        }
      }
      group.addTask {
        position(await edge.wait(for: PartPosition(sequence: 1, part: 2), deadline: .now + .seconds(60)))
      }
      while edge.waiters < 1001 { await Task.yield() }
      edge.publish(snapshot(1, 1), adding: [])
      for _ in 0..<1000 { #expect(await group.next() == PartPosition(sequence: 1, part: 1)) }
      #expect(edge.waiters == 1)
      edge.publish(snapshot(2, 0), adding: [])
      #expect(await group.next() == PartPosition(sequence: 2, part: 0))
    }
    #expect(edge.waiters == 0)
    // Each that waited is counted, and who gets what is there already is not.
    _ = await edge.wait(for: PartPosition(sequence: 1, part: 0), deadline: .now)
    #expect(edge.fanOut.counted.count == 1001 && edge.fanOut.counted.sum > 0)
  }

  @Test func noMoreMayWaitThanThereIsRoomForAndThoseWhoDoAreServed() async {
    let edge = LiveEdge()
    edge.publish(snapshot(1, 0), adding: [])
    let (deadline, next) = (ContinuousClock.now + .seconds(60), PartPosition(sequence: 1, part: 1))
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<LiveEdge.maxWaiters {
        group.addTask { position(await edge.wait(for: next, deadline: deadline)) == next }
      }
      while edge.waiters != LiveEdge.maxWaiters { await Task.yield() }
      guard case .refused = await edge.wait(for: next, deadline: deadline) else {
        Issue.record("one more may wait")
        return
      }
      edge.publish(snapshot(1, 1), adding: [])
      for await isServed in group { #expect(isServed) }
    }
    #expect(edge.waiters == 0)
  }

  @Test func waitsEndAtTheirDeadlineWhenSomebodyLooksAfterThem() async {
    let edge = LiveEdge()
    let deadline = ContinuousClock.now + .seconds(3)
    async let outcome = edge.wait(for: PartPosition(sequence: 9, part: 0), deadline: deadline)
    while edge.waiters == 0 { await Task.yield() }
    edge.expire(at: deadline - .milliseconds(1))
    #expect(edge.waiters == 1)
    edge.expire(at: deadline)
    guard case .timedOut = await outcome else {
      Issue.record("the wait did not time out")
      return
    }
  }

  @Test func aWaitThatNobodyWantsAnyMoreFreesItsPlace() async {
    let edge = LiveEdge()
    let isThere = Atomic<Bool>(true)
    let position = PartPosition(sequence: 9, part: 0)
    async let outcome = edge.wait(for: position, deadline: .now + .seconds(60)) { isThere.load(ordering: .relaxed) }
    while edge.waiters == 0 { await Task.yield() }
    edge.expire(at: .now)
    #expect(edge.waiters == 1)
    isThere.store(false, ordering: .relaxed)
    edge.expire(at: .now)
    guard case .timedOut = await outcome else {
      Issue.record("the wait went on")
      return
    }
  }

  @Test func whoWaitsIsAskedWithoutTheLockThatServesMedia() async {
    let edge = LiveEdge()
    edge.publish(snapshot(1, 0), adding: [("a.mp4", ByteBuffer(string: "a"))])
    // The lock cannot be taken twice by one thread: with it held this would never come back.
    async let outcome = edge.wait(for: PartPosition(sequence: 9, part: 0), deadline: .now + .seconds(60)) {
      edge.media(named: "a.mp4") == nil
    }
    while edge.waiters == 0 { await Task.yield() }
    edge.expire(at: .now)
    guard case .timedOut = await outcome else {
      Issue.record("the wait went on")
      return
    }
  }

  @Test func aCancelledWaitFreesItsPlaceAtOnce() async {
    let edge = LiveEdge()
    let task = Task { await edge.wait(for: PartPosition(sequence: 9, part: 0), deadline: .now + .seconds(60)) }
    while edge.waiters == 0 { await Task.yield() }
    task.cancel()
    _ = await task.value
    #expect(edge.waiters == 0)
  }
}
