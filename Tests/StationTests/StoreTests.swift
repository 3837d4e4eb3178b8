import Dispatch
import Foundation
import Logging
import Media
import NIOCore
import SystemPackage
import TestSupport
import Testing

@testable import Station

@Suite struct StoreTests {
  @Test func mediaIsWrittenBeforePlaylistsAndRemovedAfterThem() {
    var contents = MirrorContents()
    contents.media = ["2.mp4": ByteBuffer(string: "2"), "3.mp4": ByteBuffer(string: "3")]
    contents.documents = [MirrorContents.Document(name: "live.m3u8", version: 1, bytes: ByteBuffer(string: "p"))]
    var plan = MirrorPlan(present: ["1.mp4", "2.mp4"])
    #expect(plan.steps(to: contents) == [.write("3.mp4"), .write("live.m3u8"), .remove("1.mp4")])
    for step in plan.steps(to: contents) { plan.did(step, contents: contents) }
    #expect(plan.steps(to: contents).isEmpty)
    contents.documents[0] = MirrorContents.Document(name: "live.m3u8", version: 2, bytes: ByteBuffer(string: "q"))
    #expect(plan.steps(to: contents) == [.write("live.m3u8")])
  }

  @Test func theMirrorHoldsTheLastStateWhenItIsClosed() async throws {
    try await withFolder { folder in
      let mirror = try Mirror(folder: folder, logger: .silent)
      for round in 1...200 {
        var contents = MirrorContents()
        contents.media = ["\(round).mp4": ByteBuffer(string: "media \(round)"), "init-a.mp4": ByteBuffer(string: "i")]
        contents.documents = [
          MirrorContents.Document(name: "live.m3u8", version: Int64(round), bytes: ByteBuffer(string: "list \(round)"))
        ]
        mirror.update(contents)
      }
      await mirror.close()
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["200.mp4", "init-a.mp4", "live.m3u8"])
      #expect(try String(contentsOfFile: folder + "/live.m3u8", encoding: .utf8) == "list 200")
      #expect(mirror.failures == 0)
    }
  }

  @Test func whatCannotBeWrittenIsCountedAndTriedAgain() async throws {
    try await withFolder { folder in
      let mirror = try Mirror(
        folder: folder + "/camera", logger: .silent)
      // A folder stands where the file should be: a rename onto it fails for every user, root too.
      let obstacle = folder + "/camera/1.mp4"
      try FileManager.default.createDirectory(atPath: obstacle + "/in-the-way", withIntermediateDirectories: true)
      var contents = MirrorContents()
      contents.media = ["1.mp4": ByteBuffer(string: "1")]
      contents.documents = [MirrorContents.Document(name: "live.m3u8", version: 1, bytes: ByteBuffer(string: "p"))]
      mirror.update(contents)
      while mirror.failures == 0 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(!FileManager.default.fileExists(atPath: folder + "/camera/live.m3u8"))
      try FileManager.default.removeItem(atPath: obstacle)
      mirror.update(contents)
      await mirror.close()
      #expect(try String(contentsOfFile: obstacle, encoding: .utf8) == "1")
      #expect(FileManager.default.fileExists(atPath: folder + "/camera/live.m3u8"))
    }
  }

  private func contents(
    _ names: [String], version: Int64, withdrawals: Int64 = 0, sequence: Int = 0
  ) -> MirrorContents {
    var contents = MirrorContents()
    contents.reservedSequence = sequence
    for name in names { contents.media[name] = ByteBuffer(string: name) }
    contents.documents = ["state.json", "live.m3u8", "latest.jpg"].map { name in
      MirrorContents.Document(name: name, version: version, bytes: ByteBuffer(string: "\(name) \(version)"))
    }
    contents.withdrawals = withdrawals
    return contents
  }

  private func files(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  private func written(_ contents: MirrorContents, by mirror: Mirror) async {
    mirror.update(contents)
    await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
  }

  private let silent = Logger.silent

  @Test func whatIsWithdrawnIsGoneBeforeAnythingIsWrittenAndAlsoWhereNothingCanBe() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let mirror = try Mirror(folder: folder, logger: silent, willDo: disk.willDo)
      await written(contents(["1.mp4", "2.mp4"], version: 1), by: mirror)
      disk.become(.failing(code: .readOnlyFileSystem))
      await written(contents(["3.mp4"], version: 2, withdrawals: 1), by: mirror)
      #expect(try files(folder) == ["state-old.json"])
      disk.become(.good)
      await written(contents(["3.mp4"], version: 3, withdrawals: 1), by: mirror)
      #expect(try files(folder) == ["3.mp4", "latest.jpg", "live.m3u8", "state.json"])
      await mirror.close()
    }
  }

  @Test func aProcessThatDiesInAWithdrawalDoesNotComeBackToWhatWasWithdrawn() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let mirror = try Mirror(folder: folder, logger: silent, willDo: disk.willDo)
      await written(contents(["1.mp4", "2.mp4"], version: 1), by: mirror)
      disk.become(.dying(after: 1))
      await written(contents(["3.mp4"], version: 2, withdrawals: 1), by: mirror)
      #expect(try String(contentsOfFile: folder + "/state.json", encoding: .utf8) == "state.json 2")
      await mirror.close()
    }
  }

  @Test func numbersGoNoHigherThanTheStateOnDiskKnows() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let mirror = try Mirror(folder: folder, logger: silent, willDo: disk.willDo)
      await written(contents(["1.mp4"], version: 1, sequence: 5), by: mirror)
      #expect(mirror.sequenceLimit(reached: 4) == 5)
      disk.become(.hanging)
      mirror.update(contents(["2.mp4"], version: 2, sequence: 6))
      #expect(mirror.sequenceLimit(reached: 5) == 5)
      disk.become(.good)
      await written(contents(["2.mp4"], version: 3, sequence: 6), by: mirror)
      #expect(mirror.sequenceLimit(reached: 5) == 6)
      // Without a state there is nothing to come back to; and none that says too little is written any more.
      disk.become(.failing(code: .readOnlyFileSystem))
      await written(contents(["3.mp4"], version: 4, sequence: 7), by: mirror)
      #expect(mirror.sequenceLimit(reached: 6) == 7)
      disk.become(.good)
      await written(contents(["3.mp4"], version: 5, sequence: 6), by: mirror)
      #expect(try files(folder).contains("state.json") == false)
      await written(contents(["3.mp4"], version: 6, sequence: 8), by: mirror)
      #expect(try files(folder).contains("state.json") && mirror.sequenceLimit(reached: 7) == 8)
      await mirror.close()
    }
  }

  @Test func onAFullDiskWhatIsNotWantedAnyMoreMakesRoom() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let mirror = try Mirror(folder: folder, logger: silent, willDo: disk.willDo)
      await written(contents(["1.mp4", "2.mp4"], version: 1), by: mirror)
      disk.become(.failing(code: .noSpace))
      await written(contents(["2.mp4", "3.mp4"], version: 2), by: mirror)
      // Nothing but the numbers is touched the first time: it may have been another's file that was in the way.
      #expect(try files(folder) == ["1.mp4", "2.mp4", "latest.jpg", "live.m3u8", "state-old.json"])
      await written(contents(["2.mp4", "3.mp4"], version: 3), by: mirror)
      #expect(try files(folder) == ["2.mp4", "state-old.json"])
      #expect(mirror.failures == 2)
      disk.become(.good)
      await written(contents(["2.mp4", "3.mp4"], version: 4), by: mirror)
      #expect(try files(folder) == ["2.mp4", "3.mp4", "latest.jpg", "live.m3u8", "state.json"])
      await mirror.close()
    }
  }

  @Test func aSlowDiskIsCountedAndHoldsUpNobody() async throws {
    try await withFolder { folder in
      let (isHeld, isFree) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      let mirror = try Mirror(folder: folder, patience: .zero, logger: silent) { step in
        if step == .write("1.mp4") {
          isHeld.signal()
          isFree.wait()
        }
      }
      mirror.update(contents(["1.mp4"], version: 1))
      await withCheckedContinuation { waiter in
        DispatchQueue.global().async {
          isHeld.wait()
          waiter.resume()
        }
      }
      // While the disk keeps the thread, states come and go; the newest is what counts.
      for version in 2...50 { mirror.update(contents(["\(version).mp4"], version: Int64(version))) }
      #expect(mirror.slowWrites == 0)
      isFree.signal()
      await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
      await mirror.close()
      #expect(mirror.slowWrites == 2)
      #expect(try files(folder) == ["50.mp4", "latest.jpg", "live.m3u8", "state.json"])
    }
  }
}
