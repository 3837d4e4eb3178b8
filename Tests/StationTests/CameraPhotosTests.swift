import Foundation
import Glibc
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import SystemPackage
import TestSupport
import Testing

@testable import Station

@Suite(.timeLimit(.minutes(1))) struct CameraPhotosTests {
  private static let size = PictureSize(width: 64, height: 48)
  private static let quiet = Logger.silent

  private func jpeg(_ number: UInt8) -> ByteBuffer { ByteBuffer(repeating: number, count: 1000 + Int(number)) }

  private func keep(_ number: UInt8, in photos: CameraPhotos) throws -> PhotoName {
    try #require(photos.keep(jpeg(number), time: WallTime(milliseconds: Int64(number)), size: Self.size))
  }

  private func photos(
    in folder: String, disk: FaultyDisk? = nil, memory: Int = 1 << 20
  ) -> CameraPhotos {
    let photos = CameraPhotos(count: 3)
    var limits = PhotoShelf.Limits(count: 3, isStored: true)
    limits.memory = memory
    photos.open(folder: folder, logger: Self.quiet, limits: limits) { step in
      switch step {
      case .write(let name): try disk?.willDo(.write(name.description))
      case .remove(let name): try disk?.willDo(.remove(name.description))
      case .mark, .unmark, nil: try disk?.willDo(.remove(""))
      }
    }
    return photos
  }

  private func written(_ photos: CameraPhotos) async {
    await withCheckedContinuation { done in photos.afterWriting { done.resume() } }
  }

  private func fetch(_ name: PhotoName, from photos: CameraPhotos, within seconds: Int = 20) async -> ByteBuffer? {
    let answer = await photos.photo(named: name, deadline: .now + .seconds(seconds), isWanted: { true })
    if case .found(let bytes) = answer { return bytes }
    return nil
  }

  private func names(in folder: String) throws -> Set<String> {
    Set(try FileManager.default.contentsOfDirectory(atPath: folder))
  }

  @Test func photosAreThereAtOnceAndInAnotherLife() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let kept = try (1...5).map { try keep($0, in: first) }
      #expect(await fetch(kept[4], from: first) == jpeg(5))
      await first.close()
      #expect(try names(in: folder) == Set(kept.suffix(3).map(\.description)))
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(kept[4])")[.posixPermissions] as? Int
      #expect(mode == 0o644)
      let second = photos(in: folder)
      #expect(second.counted.photos == 3)
      #expect(await fetch(kept[4], from: second) == jpeg(5))
      #expect(await fetch(kept[0], from: second) == nil)
      let text = String(buffer: second.list.plain)
      #expect(
        text.hasPrefix("{\"photos\":[{\"name\":\"\(kept[4])\",\"time\":\"1970-01-01T00:00:00.005Z\",\"width\":64"))
      await second.close()
    }
  }

  @Test func aWithdrawalReachesMemoryAtOnceAndTheDiskBeforeItIsTold() async throws {
    try await withFolder { folder in
      let photos = photos(in: folder)
      let kept = try (1...3).map { try keep($0, in: photos) }
      await written(photos)
      let before = photos.list.etag
      photos.withdraw()
      #expect(photos.counted.photos == 0 && String(buffer: photos.list.plain) == "{\"photos\":[]}\n")
      #expect(photos.list.etag != before)
      for name in kept { #expect(await fetch(name, from: photos) == nil) }
      await written(photos)
      #expect(try names(in: folder).isEmpty)
      await photos.close()
    }
  }

  @Test func aDiskThatHangsHoldsUpNoPictureAndNoReader() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let stored = try keep(9, in: first)
      await first.close()
      let disk = FaultyDisk()
      let photos = photos(in: folder, disk: disk)
      await written(photos)
      disk.become(.hanging)
      let kept = try (1...2).map { try keep($0, in: photos) }
      #expect(await fetch(kept[0], from: photos) == jpeg(1), "it lies in memory")
      async let _: Void = {
        while !Task.isCancelled {
          photos.expire(at: .now)
          try? await Task.sleep(for: .milliseconds(10))
        }
      }()
      let answer = await photos.photo(named: stored, deadline: .now + .milliseconds(50), isWanted: { true })
      if case .busy = answer {} else { Issue.record("nobody waits for good") }
      disk.become(.good)
      await written(photos)
      #expect(await fetch(stored, from: photos) == jpeg(9))
      #expect(try names(in: folder).count == 3)
      await photos.close()
    }
  }

  @Test func onlySoManyReadsWaitForADiskThatHangs() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let stored = try keep(9, in: first)
      await first.close()
      let disk = FaultyDisk()
      let photos = photos(in: folder, disk: disk)
      await written(photos)
      disk.become(.hanging)
      async let _: Void = {
        while !Task.isCancelled {
          photos.expire(at: .now)
          try? await Task.sleep(for: .milliseconds(10))
        }
      }()
      let busy = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<CameraPhotos.mostReads + 10 {
          group.addTask {
            let answer = await photos.photo(named: stored, deadline: .now + .milliseconds(50), isWanted: { true })
            if case .busy = answer { return true }
            return false
          }
        }
        return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(busy == CameraPhotos.mostReads + 10)
      // All of them have gone, and the disk has not come back from what they asked for.
      let answer = await photos.photo(named: stored, deadline: .now + .seconds(20), isWanted: { true })
      if case .busy = answer {} else { Issue.record("it is busy") }
      disk.become(.good)
      await photos.close()
    }
  }

  @Test func aFullDiskIsToldAndStopsNothing() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let photos = photos(in: folder, disk: disk)
      disk.become(.failing(code: .noSpace))
      let kept = try (1...3).map { try keep($0, in: photos) }
      await written(photos)
      #expect(photos.counted.failures > 0 && photos.counted.photos == 3)
      #expect(await fetch(kept[0], from: photos) == jpeg(1))
      #expect(try names(in: folder).isEmpty)
      disk.become(.good)
      _ = try keep(4, in: photos)
      await written(photos)
      #expect(try names(in: folder).count == 3, "what had failed is written once there is room")
      await photos.close()
    }
  }

  @Test func aFileThatSomebodyChangedIsNotServed() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let kept = try (1...3).map { try keep($0, in: first) }
      await first.close()
      let second = photos(in: folder)
      unlink("\(folder)/\(kept[0])")
      try Data("x".utf8).write(to: URL(filePath: "\(folder)/\(kept[1])"))
      #expect(await fetch(kept[0], from: second) == nil)
      #expect(await fetch(kept[1], from: second) == nil)
      #expect(second.counted.photos == 1)
      await second.close()
    }
  }

  @Test func aReadErrorThatPassesLosesNoPhoto() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let stored = try keep(9, in: first)
      await first.close()
      let isBroken = NIOLockedValueBox(true)
      let photos = CameraPhotos(count: 3)
      photos.open(folder: folder, logger: Self.quiet) { step in
        if step == nil, isBroken.withLockedValue({ $0 }) { throw Errno.tooManyOpenFiles }
      }
      let answer = await photos.photo(named: stored, deadline: .now + .seconds(20), isWanted: { true })
      if case .busy = answer {} else { Issue.record("it is busy, not \(answer)") }
      #expect(photos.counted.photos == 1 && photos.counted.failures == 1)
      isBroken.withLockedValue { $0 = false }
      #expect(await fetch(stored, from: photos) == jpeg(9))
      await photos.close()
      #expect(try names(in: folder) == [stored.description])
    }
  }

  /// As root cannot be refused a file, a link to itself is what cannot be opened here.
  @Test func aFileThatCannotBeOpenedForNowIsKept() async throws {
    try await withFolder { folder in
      let first = photos(in: folder)
      let stored = try keep(9, in: first)
      await first.close()
      let photos = photos(in: folder)
      let (file, aside) = ("\(folder)/\(stored)", "\(folder)/aside")
      #expect(rename(file, aside) == 0 && symlink(stored.description, file) == 0)
      let answer = await photos.photo(named: stored, deadline: .now + .seconds(20), isWanted: { true })
      if case .busy = answer {} else { Issue.record("it is busy, not \(answer)") }
      #expect(rename(aside, file) == 0)
      #expect(await fetch(stored, from: photos) == jpeg(9))
      await photos.close()
    }
  }

  @Test func aFolderThatAnotherProcessHasIsLeftAlone() async throws {
    try await withFolder { home in
      let folder = home + "/desk"
      let lock = try #require(try await StoreLock.take(folder: folder, patience: .zero) { _ in })
      let photos = CameraPhotos(count: 3)
      photos.open(folder: folder, lock: lock, logger: Self.quiet)
      _ = try keep(1, in: photos)
      await written(photos)
      #expect(try names(in: folder).count == 1)
      // The folder is taken away, and another process makes and locks a new one.
      try FileManager.default.moveItem(atPath: folder, toPath: home + "/away")
      let other = try #require(try await StoreLock.take(folder: folder, patience: .zero) { _ in })
      _ = try keep(2, in: photos)
      photos.withdraw()
      await written(photos)
      #expect(try names(in: folder).isEmpty)
      await photos.close()
      withExtendedLifetime((lock, other)) {}
    }
  }

  @Test func theLockIsKeptUntilThePhotosAreClosed() async throws {
    try await withFolder { folder in
      let photos = CameraPhotos(count: 3)
      photos.open(
        folder: folder, lock: try await StoreLock.take(folder: folder, patience: .zero) { _ in }, logger: Self.quiet)
      await #expect(throws: StoreLockError.self) {
        _ = try await StoreLock.take(folder: folder, patience: .zero) { _ in }
      }
      await photos.close()
      #expect(try await StoreLock.take(folder: folder, patience: .zero) { _ in } != nil)
    }
  }

  @Test func aLifeThatEndedInAWithdrawalLeavesNothing() async throws {
    try await withFolder { folder in
      let disk = FaultyDisk()
      let first = photos(in: folder, disk: disk)
      for number in 1...3 { _ = try keep(UInt8(number), in: first) }
      await written(first)
      // The mark and one removal, and then the process is gone.
      disk.become(.dying(after: 2))
      first.withdraw()
      await written(first)
      #expect(try names(in: folder).count > 1)
      let second = photos(in: folder)
      #expect(second.counted.photos == 0)
      await written(second)
      #expect(try names(in: folder).isEmpty)
      await first.close()
      await second.close()
    }
  }

  @Test func noneAreKeptWhereNoneAreWanted() async throws {
    let photos = CameraPhotos(count: 0)
    #expect(photos.keep(jpeg(1), time: WallTime(milliseconds: 1), size: Self.size) == nil)
    #expect(String(buffer: photos.list.plain) == "{\"photos\":[]}\n")
    await photos.close()
  }
}
