import Foundation
import GRDB
import Media
import TestSupport
import Testing

@testable import Records

/// The database of visits lies on a disk that may damage it, or another program has written to it.
@Suite struct ForeignRecordsTests {
  private let range = (from: WallTime(milliseconds: 0), to: WallTime(milliseconds: 1_795_000_000_000))

  private var change: RecordsChange {
    var change = RecordsChange()
    for (index, camera) in ["desk", "yard", ""].enumerated() {
      for hour in 0..<20 as Range<Int64> {
        var sums = Sums()
        (sums.mostViewers, sums.watchedSeconds, sums.waves, sums.stills) = (3, 100 + hour, 2, 30)
        sums.sent[.media] = 1_000_000 + Int64(index)
        change.hours[CameraHour(camera: camera, hour: 495_600 + hour)] = sums
      }
      change.visitors[CameraDay(camera: camera, day: 20_650)] = 7
    }
    for index in 0..<10 as Range<Int64> {
      change.actions.append(
        OperatorAction(
          time: WallTime(milliseconds: 1_784_160_000_000 + index), camera: index % 2 == 0 ? "desk" : nil, what: "veil",
          way: .page, outcome: "done"))
    }
    return change
  }

  /// Asks for all that is asked of a database.
  ///
  /// - Returns: how many rows it has.
  private func readAll(_ database: RecordsDatabase, _ sample: Comment) throws -> Int {
    var count = 0
    for length in PeriodSums.Length.allCases {
      let rows = try database.sums(by: length, from: range.from, to: range.to)
      count += rows.count
      // As the operator's page and `quietcam visits` add them up.
      var all = Sums()
      for row in rows {
        all += row.sums
        #expect(row.sums.sent.total >= 0 && row.sums.watchedSeconds >= 0 && row.visitors ?? 0 >= 0, sample)
        #expect(WallTime(milliseconds: row.begin * 1000).iso8601.utf8.count >= 24, sample)
      }
      let text = VisitsText(rows, by: length)
      #expect(!text.table.isEmpty && text.json.utf8.count + text.csv.utf8.count > 20, sample)
    }
    for (_, visitors) in try database.visitors(ofDay: 20_650) { #expect(visitors >= 0, sample) }
    for action in try database.actions(newest: 100) {
      count += 1
      #expect(action.time.iso8601.utf8.count >= 24, sample)
    }
    return count
  }

  @Test func aDamagedFileIsReadAsFarAsItGoesOrIsAnError() throws {
    try withFolder { folder in
      let path = "\(folder)/\(RecordsDatabase.fileName)"
      do {
        let database = try RecordsDatabase(path: path)
        try database.write(change)
        try database.queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
      }
      for ending in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      // Where something is written, and not only empty pages.
      let places = whole.indices.filter { whole[$0] != 0 }
      var (read, refused) = (0, 0)
      for number in DamagedSamples.numbers(250) {
        var random = SeededGenerator(seed: UInt64(number))
        var bytes = whole
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          let place = places.randomElement(using: &random) ?? 0
          bytes[place] =
            Bool.random(using: &random)
            ? UInt8.random(in: 0...255, using: &random) : bytes[place] ^ 1 << UInt8.random(in: 0..<8, using: &random)
        }
        if number % 20 == 0 { bytes.removeLast(Int.random(in: 1...bytes.count, using: &random)) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
          let database = try number % 2 == 0 ? RecordsDatabase(path: path) : RecordsDatabase(reading: path)
          let rows = try readAll(database, "sample \(number)")
          read += rows > 0 ? 1 : 0
          if number % 2 == 0 {
            try database.write(change)
            try database.forget(before: 20_000)
          }
        } catch {
          #expect(error is DatabaseError || RecordsDatabase.isDamage(error), "sample \(number): \(error)")
          refused += 1
        }
        for ending in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
      }
      #expect(read > 30 && refused > 30, "\(read), \(refused)")
    }
  }

  /// Rows that no version of this program writes: other kinds of value, and numbers of any size.
  @Test func rowsOfAnotherKindAreReadAsNumbersAndTexts() throws {
    let database = try RecordsDatabase()
    try database.write(change)
    let values: [(any DatabaseValueConvertible)?] = [
      Int64.max, Int64.min, -1, 0.5, 1e300, "many", "", "9223372036854775808", Data([0xFF, 0xFE, 0]), 1 << 60,
    ]
    for number in DamagedSamples.numbers(300) {
      var random = SeededGenerator(seed: UInt64(number))
      let value = values.randomElement(using: &random) ?? nil
      let tables: [String: [String]] = [
        "hours": RecordsDatabase.columns + ["hour", "camera"], "days": ["visitors", "day", "camera"],
        "actions": ["time", "camera", "what", "how", "outcome"],
      ]
      let table = ["hours", "hours", "days", "actions"].randomElement(using: &random) ?? "hours"
      let column = tables[table]?.randomElement(using: &random) ?? ""
      let order = table == "actions" ? "id" : "camera"
      let place = Int.random(in: 0..<3, using: &random)
      try database.queue.write { content in
        // Two rows with one key cannot be.
        try content.execute(
          sql: """
            UPDATE OR IGNORE \(table) SET \(column) = ?
            WHERE \(order) = (SELECT \(order) FROM \(table) GROUP BY \(order) LIMIT 1 OFFSET \(place))
            """, arguments: [value])
      }
      _ = try readAll(database, "sample \(number): \(table).\(column)")
      if number % 20 == 0 { try database.write(change) }
    }
  }
}
