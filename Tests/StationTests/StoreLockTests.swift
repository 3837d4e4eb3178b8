import Foundation
import Logging
import NIOCore
import Testing

@testable import Station

/// A camera's folder belongs to one process, and what is taken out of it comes back.
@Suite struct StoreLockTests {
  private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "quietcam-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
  }

  private func take(_ folder: String, patience: Duration = .zero) async throws -> StoreLock {
    try #require(try await StoreLock.take(folder: folder, patience: patience) { _ in })
  }

  @Test func aSecondOneIsToldWhoHasTheFolder() async throws {
    try await withFolder { folder in
      let first = try await take(folder)
      let error = await #expect(throws: StoreLockError.self) { try await take(folder) }
      #expect(error?.description.contains("process \(getpid())") == true)
      #expect(error?.description.contains("--store") == true)
      withExtendedLifetime(first) {}
    }
  }

  @Test func aFolderIsFreeWhenItsLockIsLetGo() async throws {
    try await withFolder { folder in
      for _ in 0..<3 {
        let lock = try await take(folder)
        withExtendedLifetime(lock) {}
      }
    }
  }

  @Test func aSecondOneWaitsForTheFirstToEnd() async throws {
    try await withFolder { folder in
      var first: StoreLock? = try await take(folder)
      let second = Task { try await take(folder, patience: .seconds(20)) }
      try await Task.sleep(for: .milliseconds(250))
      #expect(first != nil)
      first = nil
      _ = try await second.value
    }
  }

  @Test func whoWaitsCanBeSentAway() async throws {
    try await withFolder { folder in
      let first = try await take(folder)
      let second = Task { try await take(folder, patience: .seconds(20)) }
      try await Task.sleep(for: .milliseconds(50))
      second.cancel()
      await #expect(throws: CancellationError.self) { _ = try await second.value }
      withExtendedLifetime(first) {}
    }
  }

  @Test func aFolderThatWasTakenAwayIsLockedAgain() async throws {
    try await withFolder { folder in
      let first = try await take(folder)
      #expect(first.renew())
      try FileManager.default.removeItem(atPath: folder)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      #expect(first.renew())
      await #expect(throws: StoreLockError.self) { try await take(folder) }
      try FileManager.default.removeItem(atPath: folder)
      let other = try await take(folder)
      #expect(!first.renew())
      withExtendedLifetime(other) {}
    }
  }

  private func contents(_ numbers: ClosedRange<Int>) -> MirrorContents {
    var contents = MirrorContents()
    for number in numbers { contents.media["\(number).mp4"] = ByteBuffer(string: "segment \(number)") }
    contents.documents = [
      .init(name: StreamState.fileName, version: Int64(numbers.upperBound), bytes: ByteBuffer(string: "state")),
      .init(name: StreamPublisher.multivariantName, version: 0, bytes: ByteBuffer(string: "#EXTM3U")),
    ]
    return contents
  }

  private func written(_ mirror: Mirror, _ contents: MirrorContents) async {
    mirror.update(contents)
    await withCheckedContinuation { done in mirror.afterWriting { done.resume() } }
  }

  private func present(_ folder: String) -> Set<String> {
    Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
  }

  @Test(arguments: ["all", "one", "folder"])
  func whatIsTakenOutOfTheFolderComesBack(damage: String) async throws {
    try await withFolder { folder in
      let mirror = try Mirror(folder: folder, lookEvery: .zero, lock: try await take(folder), logger: silent)
      await written(mirror, contents(1...3))
      let whole = present(folder)
      #expect(whole == ["1.mp4", "2.mp4", "3.mp4", StreamState.fileName, StreamPublisher.multivariantName])
      switch damage {
      case "all": for name in whole { try FileManager.default.removeItem(atPath: folder + "/" + name) }
      case "one": try FileManager.default.removeItem(atPath: folder + "/" + StreamPublisher.multivariantName)
      default: try FileManager.default.removeItem(atPath: folder)
      }
      await written(mirror, contents(2...4))
      #expect(
        present(folder) == ["2.mp4", "3.mp4", "4.mp4", StreamState.fileName, StreamPublisher.multivariantName])
      await #expect(throws: StoreLockError.self) { try await take(folder) }
      await mirror.close()
    }
  }

  @Test func aFolderThatAnotherServerHasIsLeftToIt() async throws {
    try await withFolder { folder in
      let mirror = try Mirror(folder: folder, lookEvery: .zero, lock: try await take(folder), logger: silent)
      await written(mirror, contents(1...3))
      try FileManager.default.removeItem(atPath: folder)
      let other = try await take(folder)
      await written(mirror, contents(2...4))
      #expect(present(folder).isEmpty)
      withExtendedLifetime(other) {}
      await mirror.close()
    }
  }
}
