import Picture
import Testing

@testable import Ingest

@Suite struct FolderWatchTests {
  private func stamp(_ number: Int) -> StillFile.Stamp {
    StillFile.Stamp(inode: UInt64(number), size: number, modified: Int64(number), changed: Int64(number))
  }

  private func opened() -> FolderWatch {
    var watch = FolderWatch()
    _ = watch.receive(.watching("", as: 1))
    _ = watch.receive(.watching("2026/11", as: 2))
    return watch
  }

  private func waiting(_ watch: inout FolderWatch) -> [String] {
    var paths: [String] = []
    while let file = watch.next() { paths.append(file.path) }
    return paths
  }

  @Test func filesThatAreClosedOrMovedInAreReadInTheirOrder() {
    var watch = opened()
    #expect(watch.receive(.written(1, "a.jpg")).isEmpty)
    #expect(watch.receive(.fileMovedIn(2, "b.JPG", cookie: 7)).isEmpty)
    #expect(waiting(&watch) == ["a.jpg", "2026/11/b.JPG"])
  }

  @Test func uploadsUnderWayWaitForTheirLastName() {
    var watch = opened()
    for name in [".a.jpg", "a.jpg_tmp", "a_tmp.jpg", "a.jpg.part", "a.part.jpg", "a.tmp", "a.txt", "a.mp4", "a.jpg~"] {
      _ = watch.receive(.written(1, name))
      _ = watch.receive(.fileMovedOut(1, name, cookie: 3))
    }
    #expect(!watch.isWaiting)
    _ = watch.receive(.fileMovedIn(1, "a.jpg", cookie: 3))
    #expect(waiting(&watch) == ["a.jpg"])
  }

  @Test func aNameThatRepeatsIsReadEachTime() {
    var watch = opened()
    for number in 1...3 {
      _ = watch.receive(.written(1, "video.jpg"))
      guard let file = watch.next() else { Issue.record("nothing waits"); return }
      #expect(watch.isNews(file, stamp(number)))
      watch.didRead(file, stamp(number))
    }
  }

  @Test func ofAHundredFilesAtOnceTheNewestAreRead() {
    var watch = opened()
    for number in 0..<100 { _ = watch.receive(.written(1, "\(number).jpg")) }
    #expect(waiting(&watch) == ["96.jpg", "97.jpg", "98.jpg", "99.jpg"])
    for _ in 0..<100 { _ = watch.receive(.written(1, "video.jpg")) }
    #expect(waiting(&watch) == ["video.jpg"])
  }

  @Test func aNewDirectoryIsWalkedForWhatCameBeforeItsWatch() {
    var watch = opened()
    #expect(watch.receive(.directoryMade(2, "21")) == [.walk("2026/11/21", .all)])
    #expect(watch.receive(.directoryMovedIn(1, "day", cookie: 5)) == [.walk("day", .all)])
    #expect(watch.receive(.directoryMade(1, ".hidden")).isEmpty)
    #expect(watch.receive(.directoryMade(1, "@eaDir")).isEmpty)
  }

  @Test func whatAWalkAndAnEventBothTellOfIsReadOnce() {
    for eventFirst in [true, false] {
      var watch = opened()
      let events: [FolderWatch.Event] = [
        .written(1, "a.jpg"), .found([FoundFile(path: "a.jpg", stamp: stamp(1))]),
      ]
      var reads = 0
      for event in eventFirst ? events : events.reversed() {
        _ = watch.receive(event)
        while let file = watch.next() {
          if watch.isNews(file, stamp(1)) { reads += 1 }
          watch.didRead(file, stamp(1))
        }
      }
      #expect(reads == 1)
    }
  }

  @Test func sortingStillsAwayIsNoNews() {
    var watch = opened()
    _ = watch.receive(.fileMovedOut(1, "old.jpg", cookie: 9))
    _ = watch.receive(.fileMovedIn(2, "old.jpg", cookie: 9))
    #expect(!watch.isWaiting)
    #expect(watch.receive(.directoryMovedOut(1, "2026", cookie: 10)) == [.unwatch(2)])
    #expect(watch.receive(.directoryMovedIn(1, "archive", cookie: 10)) == [.walk("archive", .recent)])
    #expect(watch.receive(.written(2, "late.jpg")).isEmpty && !watch.isWaiting)
  }

  @Test func aStillThatIsMovedIntoANewDirectoryBeforeItIsWatchedIsNoNews() {
    var watch = opened()
    var moved = stamp(5)
    watch.didRead(.init(path: "a.jpg", isFound: false), moved)
    moved.changed += 1
    #expect(!watch.isNews(.init(path: "new/a.jpg", isFound: true), moved))
    #expect(watch.isNews(.init(path: "a.jpg", isFound: false), stamp(5)), "an event counts, however alike")
  }

  @Test func aStillThatIsRenamedBeforeItWasReadIsReadUnderItsNewName() {
    var watch = opened()
    _ = watch.receive(.written(1, "a.jpg"))
    _ = watch.receive(.fileMovedOut(1, "a.jpg", cookie: 4))
    _ = watch.receive(.fileMovedIn(2, "b.jpg", cookie: 4))
    #expect(waiting(&watch) == ["2026/11/b.jpg"])

    _ = watch.receive(.written(1, "c.jpg"))
    if let file = watch.next() { watch.didMiss(file) }  // The events of its move have not been read yet.
    _ = watch.receive(.fileMovedOut(1, "c.jpg", cookie: 5))
    _ = watch.receive(.fileMovedIn(1, "d.jpg", cookie: 5))
    #expect(waiting(&watch) == ["d.jpg"])
  }

  @Test func lostEventsMeanAWalkForNews() {
    var watch = opened()
    #expect(watch.receive(.overflow(since: 77)) == [.walk("", .since(77))])
  }

  @Test func onlyTheFolderItselfBeginsAnewWhenItGoes() {
    var watch = opened()
    #expect(watch.receive(.gone(2)).isEmpty)
    #expect(watch.receive(.ended(2)).isEmpty)
    #expect(watch.watchCount == 1)
    #expect(watch.receive(.gone(1)) == [.reopen])
    #expect(watch.receive(.ended(1)) == [.reopen])
  }

  @Test func whatIsRememberedIsBounded() {
    var watch = opened()
    for number in 0..<10_000 {
      _ = watch.receive(.fileMovedOut(1, "\(number).jpg", cookie: UInt32(number)))
      let file = FolderWatch.Pending(path: "\(number).jpg", isFound: true)
      watch.didRead(file, stamp(number))
      watch.didMiss(file)
    }
    #expect(!watch.isNews(.init(path: "x", isFound: true), stamp(9_999)))
    #expect(watch.isNews(.init(path: "x", isFound: true), stamp(0)))
    _ = watch.receive(.fileMovedIn(1, "y.jpg", cookie: 0))
    #expect(waiting(&watch) == ["y.jpg"], "a move that is forgotten is news")
  }

  @Test func aFileThatWasMadeWaitsUntilItIsClosedUnlessItIsWhole() {
    var watch = opened()
    _ = watch.receive(.fileMade(1, "a.jpg"))
    _ = watch.receive(.fileMade(1, "a.jpg.part"))
    #expect(watch.next() == FolderWatch.Pending(path: "a.jpg", isFound: true, isMade: true))
    #expect(!watch.isWaiting)
    _ = watch.receive(.fileMade(1, "a.jpg"))
    _ = watch.receive(.written(1, "a.jpg"))
    #expect(watch.next() == FolderWatch.Pending(path: "a.jpg", isFound: false))
    #expect(!watch.isWaiting)
  }

  @Test func aStillThatWasReadAsItWasMadeIsNotReadAgainWhenItIsClosed() {
    var watch = opened()
    _ = watch.receive(.fileMade(1, "a.jpg"))
    guard let made = watch.next() else { Issue.record("nothing waits"); return }
    #expect(watch.isNews(made, stamp(1)))
    watch.didRead(made, stamp(1))
    _ = watch.receive(.written(1, "a.jpg"))
    guard let closed = watch.next() else { Issue.record("nothing waits"); return }
    #expect(!watch.isNews(closed, stamp(1)))
    #expect(watch.isNews(closed, stamp(2)))
  }

  @Test func aDirectoryThatBecomesReadableIsWalkedForWhatWouldHaveBeenNews() {
    var watch = opened()
    _ = watch.receive(.blocked("day", .all))
    _ = watch.receive(.blocked("old", .since(7)))
    #expect(watch.receive(.directoryChanged(1, "other")).isEmpty)
    #expect(watch.receive(.directoryChanged(1, "day")) == [.walk("day", .all)])
    #expect(watch.receive(.directoryChanged(1, "day")).isEmpty)
    #expect(watch.receive(.directoryChanged(1, "old")) == [.walk("old", .since(7))])
  }

  @Test func aFileThatBecomesReadableIsReadThen() {
    var watch = opened()
    for name in ["a.jpg", "b.jpg"] {
      _ = watch.receive(.written(2, name))
      guard let file = watch.next() else { Issue.record("nothing waits"); return }
      watch.didRefuse(file)
    }
    _ = watch.receive(.fileChanged(2, "c.jpg"))
    #expect(!watch.isWaiting)
    _ = watch.receive(.fileChanged(2, "a.jpg"))
    #expect(waiting(&watch) == ["2026/11/a.jpg"])
    _ = watch.receive(.fileChanged(2, "a.jpg"))
    #expect(!watch.isWaiting)
    // The right may be that of a directory.
    _ = watch.receive(.directoryChanged(2, ""))
    #expect(waiting(&watch) == ["2026/11/b.jpg"])
  }

  @Test func aHiddenDirectoryThatIsRenamedBringsNews() {
    var watch = opened()
    #expect(watch.receive(.directoryMade(1, ".tmp")).isEmpty)
    #expect(watch.receive(.directoryMovedOut(1, ".tmp", cookie: 5)).isEmpty)
    #expect(watch.receive(.directoryMovedIn(1, "done", cookie: 5)) == [.walk("done", .all)])
  }

  @Test func aDirectoryThatIsRenamedAtOnceLosesNothing() {
    var watch = opened()
    // It was gone before it could be watched.
    #expect(watch.receive(.directoryMade(1, "new")) == [.walk("new", .all)])
    #expect(watch.receive(.directoryMovedOut(1, "new", cookie: 5)).isEmpty)
    #expect(watch.receive(.directoryMovedIn(1, "done", cookie: 5)) == [.walk("done", .all)])
    // It was watched, and what came into it waits, or was looked for in vain.
    _ = watch.receive(.watching("day", as: 9))
    for name in ["a.jpg", "b.jpg"] { _ = watch.receive(.written(9, name)) }
    guard let first = watch.next() else { Issue.record("nothing waits"); return }
    watch.didMiss(first)
    #expect(watch.receive(.directoryMovedOut(1, "day", cookie: 6)) == [.unwatch(9)])
    #expect(watch.receive(.directoryMovedIn(2, "night", cookie: 6)) == [.walk("2026/11/night", .recent)])
    #expect(waiting(&watch).sorted() == ["2026/11/night/a.jpg", "2026/11/night/b.jpg"])
  }

  @Test func namesThatAreNoTextAreTold() {
    var watch = opened()
    #expect(watch.receive(.nameless(2, "?.jpg")) == [.tellNameless("2026/11/?.jpg")])
  }
}
