import Foundation
import GRDB
import Media
import TestSupport
import Testing

@testable import Records

@Suite struct RecordsDatabaseTests {
  private let hour = CameraHour(camera: "desk", hour: 495_600)
  private var sums: Sums {
    var sums = Sums()
    (sums.mostViewers, sums.watchedSeconds, sums.waves, sums.stills) = (3, 100, 2, 30)
    (sums.stillBytes, sums.offSeconds, sums.pausedSeconds, sums.veiledSeconds) = (9000, 4, 5, 6)
    for (index, kind) in AnswerKind.allCases.enumerated() { sums.sent[kind] = Int64(1000 + index) }
    return sums
  }

  private func change(_ sums: Sums) -> RecordsChange {
    var change = RecordsChange()
    change.hours[hour] = sums
    change.visitors[CameraDay(camera: "desk", day: hour.hour / 24)] = 7
    return change
  }

  private func all(_ database: RecordsDatabase, by length: PeriodSums.Length) throws -> [PeriodSums] {
    try database.sums(by: length, from: WallTime(milliseconds: 0), to: WallTime(milliseconds: .max / 2))
  }

  @Test func aFileIsMadeForItsOwnerAloneAndOpensAgain() throws {
    try withFolder { folder in
      let path = "\(folder)/deep/\(RecordsDatabase.fileName)"
      let database = try RecordsDatabase(path: path)
      try database.write(change(sums))
      for name in ["", "-wal", "-shm"] {
        let mode = try FileManager.default.attributesOfItem(atPath: path + name)[.posixPermissions] as? Int
        #expect(mode == 0o600, "\(name)")
      }
      #expect(try all(RecordsDatabase(path: path), by: .hour).map(\.sums) == [sums])
    }
  }

  @Test func sumsGrowAndTheMostViewersStayTheMost() throws {
    let database = try RecordsDatabase()
    try database.write(change(sums))
    var more = sums
    more.mostViewers = 2
    try database.write(change(more))
    var both = sums
    both += more
    #expect(both.mostViewers == 3 && both.watchedSeconds == 200)
    let rows = try all(database, by: .hour)
    #expect(rows.map(\.sums) == [both])
    #expect(rows.map(\.period) == ["2026-07-16T00:00Z"])
    #expect(rows.map(\.begin) == [hour.hour * 3600])
    #expect(rows.map(\.visitors) == [nil])
    #expect(try all(database, by: .day).map(\.visitors) == [14])
    #expect(try all(database, by: .month).map(\.period) == ["2026-07"])
    #expect(try all(database, by: .month).map(\.visitors) == [nil])
  }

  @Test func periodsAreThoseThatWereAskedFor() throws {
    let database = try RecordsDatabase()
    var change = RecordsChange()
    for hour in 0..<100 as Range<Int64> {
      var sums = Sums()
      sums.waves = 1
      change.hours[CameraHour(camera: "desk", hour: hour)] = sums
      change.hours[CameraHour(camera: "yard", hour: hour)] = sums
    }
    try database.write(change)
    let time = { (hour: Int64) in WallTime(milliseconds: hour * 3_600_000) }
    #expect(try database.sums(by: .hour, camera: "desk", from: time(10), to: time(19)).count == 10)
    let days = try database.sums(by: .day, camera: "yard", from: time(24), to: time(71))
    #expect(days.map(\.sums.waves) == [24, 24])
    #expect(days.map(\.period) == ["1970-01-02", "1970-01-03"])
    #expect(try database.sums(by: .day, from: time(0), to: time(200)).map(\.camera).contains("yard"))
    #expect(try database.sums(by: .month, camera: "nobody", from: time(0), to: time(200)).isEmpty)
  }

  @Test func whatIsOlderThanTheRetentionIsForgotten() throws {
    let database = try RecordsDatabase()
    var change = RecordsChange()
    for day in [10, 11, 12] as [Int64] {
      change.hours[CameraHour(camera: "desk", hour: day * 24)] = sums
      change.visitors[CameraDay(camera: "desk", day: day)] = day
      change.actions.append(
        OperatorAction(
          time: WallTime(milliseconds: day * 86_400_000), camera: "desk", what: "\(day)", way: .api, outcome: "done"))
    }
    try database.write(change)
    try database.forget(before: 11)
    #expect(try all(database, by: .day).map(\.visitors) == [11, 12])
    #expect(try database.actions(newest: 9).map(\.what) == ["12", "11"])
  }

  @Test func actionsComeNewestFirstAndByCamera() throws {
    let database = try RecordsDatabase()
    var change = RecordsChange()
    for (index, camera) in ["desk", nil, "yard", "desk"].enumerated() {
      change.actions.append(
        OperatorAction(
          time: WallTime(milliseconds: Int64(index)), camera: camera, what: "act \(index)", way: .page,
          outcome: String(repeating: "x", count: 500)))
    }
    try database.write(change)
    #expect(try database.actions(newest: 3).map(\.what) == ["act 3", "act 2", "act 1"])
    #expect(try database.actions(newest: 9, camera: "desk").map(\.what) == ["act 3", "act 0"])
    #expect(try database.actions(newest: 9).map(\.camera) == ["desk", "yard", nil, "desk"])
    #expect(try database.actions(newest: 1).map(\.outcome.count) == [200])
    #expect(try database.actions(newest: -1).isEmpty)
  }

  @Test func aReaderReadsWhileTheWriterWrites() throws {
    try withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      let writer = try RecordsDatabase(path: path)
      let reader = try RecordsDatabase(reading: path)
      try writer.write(change(sums))
      #expect(try all(reader, by: .hour).count == 1)
      #expect(throws: DatabaseError.self) { try reader.write(change(sums)) }
    }
  }

  @Test func damageIsFoundAndIsNotAnyOtherError() throws {
    try withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      try Data("this is no database at all, but a text that is long enough".utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: (any Error).self) { try RecordsDatabase(path: path) }
      #expect(error.map { RecordsDatabase.isDamage($0) } == true)
      let other = #expect(throws: (any Error).self) { try RecordsDatabase(path: folder) }
      #expect(other.map { RecordsDatabase.isDamage($0) } != true)
    }
  }

  @Test(arguments: ["../x", "/dev/null/x"])
  func whatCannotBeOpenedIsAnError(path: String) throws {
    try withFolder { folder in
      #expect(throws: (any Error).self) { _ = try RecordsDatabase(path: path.hasPrefix("/") ? path : folder) }
      return
    }
  }
}
