import Foundation
import GRDB
import InMemoryLogging
import Logging
import Media
import NIOCore
import TestSupport
import Testing

@testable import Records

@Suite struct RecordsWriterTests {
  private let log = InMemoryLogHandler()
  private var logger: Logger { Logger(label: "test", factory: { [log] _ in log }) }

  private func lines(_ level: Logger.Level) -> [String] {
    log.entries.filter { $0.level == level }.map { "\($0.message)" }
  }

  private func waves(_ count: Int64, hour: Int64 = 24) -> RecordsChange {
    var (change, sums) = (RecordsChange(), Sums())
    sums.waves = count
    change.hours[CameraHour(camera: "desk", hour: hour)] = sums
    return change
  }

  private func sum(_ database: RecordsDatabase) throws -> Int64 {
    try database.sums(by: .month, from: WallTime(milliseconds: 0), to: WallTime(milliseconds: .max / 2))
      .reduce(0) { $0 + $1.sums.waves }
  }

  @Test func whatIsAddedIsThereForTheNextReader() async throws {
    let writer = RecordsWriter(place: .memory, keptDays: 3, logger: logger)
    writer.add(waves(2))
    writer.add(waves(3))
    #expect(try await writer.read(today: 1) { try sum($0) } == 5)
    await writer.close(today: 1, patience: .seconds(10))
    #expect(log.entries.isEmpty)
  }

  @Test func aDamagedFileIsPutAsideAndBegunAnewWithALine() async throws {
    try await withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      let garbage = Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      for round in 1...2 {
        try garbage.write(to: URL(fileURLWithPath: path))
        let writer = RecordsWriter(place: .file(path), keptDays: 3, logger: logger)
        writer.add(waves(1))
        #expect(try await writer.read(today: 1) { try sum($0) } == 1)
        await writer.close(today: 1, patience: .seconds(10))
        #expect(lines(.error).count == round)
        // The file of the round before makes room, so that damage cannot fill the disk.
        #expect(try Data(contentsOf: URL(fileURLWithPath: path + RecordsDatabase.damagedSuffix)) == garbage)
      }
      #expect(lines(.error).allSatisfy { $0.contains("put aside") })
    }
  }

  @Test func aFileThatIsDamagedWhileItIsOpenIsBegunAnewAndNothingNewIsLost() async throws {
    try await withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      let first = RecordsWriter(place: .file(path), keptDays: 3, logger: logger)
      for hour in 24..<400 as Range<Int64> { first.add(waves(1, hour: hour)) }
      _ = try await first.read(today: 1) { try sum($0) }
      await first.close(today: 1, patience: .seconds(10))
      let writer = RecordsWriter(place: .file(path), keptDays: 30, logger: logger)
      _ = try await writer.read(today: 1) { try sum($0) }
      // Every page behind the first is overwritten, as by a dying disk.
      let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: 4096)
      file.write(Data(repeating: 0xA5, count: size - 4096))
      try file.close()
      writer.add(waves(3, hour: 5000))
      await #expect(throws: (any Error).self) {
        try await writer.read(today: 1) {
          $0.queue.releaseMemory()
          return try sum($0)
        }
      }
      writer.add(waves(4, hour: 5001))
      #expect(lines(.error).contains { $0.contains("put aside") })
      #expect([4, 7].contains(try await writer.read(today: 1) { try sum($0) }))
      await writer.close(today: 1, patience: .seconds(10))
    }
  }

  @Test func aFullDiskKeepsSumsInMemoryAndIsToldOnceAndAgainWhenItIsOver() async throws {
    try await withFolder { folder in
      let writer = RecordsWriter(
        place: .file("\(folder)/\(RecordsDatabase.fileName)"), keptDays: 3000, logger: logger)
      try await writer.read(today: 1) { try $0.setMostPages(12) }
      var change = RecordsChange()
      for hour in 24..<2000 as Range<Int64> { change.add(waves(1, hour: hour)) }
      writer.add(change)
      for _ in 0..<3 { _ = try await writer.read(today: 1) { try sum($0) } }
      #expect(try await writer.read(today: 1) { try sum($0) } == 0)
      #expect(lines(.warning).count == 3, "after 1, 2 and 4 failures")
      #expect(lines(.warning).first?.contains("full") == true)
      writer.add(waves(4))
      try await writer.read(today: 1) { try $0.setMostPages(1 << 20) }
      #expect(try await writer.read(today: 1) { try sum($0) } == 1980)
      #expect(lines(.notice).count == 1)
      await writer.close(today: 1, patience: .seconds(10))
    }
  }

  @Test func whatWaitsForADiskIsBounded() {
    var change = RecordsChange()
    for hour in 0..<50 as Range<Int64> { change.add(waves(1, hour: hour)) }
    for index in 0..<10 {
      change.actions.append(
        OperatorAction(
          time: WallTime(milliseconds: 0), camera: nil, what: "\(index)", way: .api, outcome: ""))
    }
    #expect(change.limit(hours: 20, actions: 3) == 37)
    #expect(change.hours.keys.map(\.hour).min() == 30 && change.hours.count == 20)
    #expect(change.actions.map(\.what) == ["7", "8", "9"])
  }

  @Test func aPlaceThatCannotBeOpenedStopsNobody() async throws {
    let writer = RecordsWriter(place: .file("/dev/null/quietcam.sqlite"), keptDays: 3, logger: logger)
    writer.add(waves(1))
    await #expect(throws: RecordsError.self) { try await writer.read(today: 1) { try sum($0) } }
    #expect(lines(.warning).count == 1)
    await writer.close(today: 1, patience: .seconds(10))
  }
}

extension RecordsDatabase {
  /// Lets the database grow to so many pages, as a disk does that is full after them.
  func setMostPages(_ count: Int) throws {
    try queue.writeWithoutTransaction { _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(count)") }
  }
}
