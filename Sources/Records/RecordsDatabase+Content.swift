import GRDB
import Media

/// What is written at once.
struct RecordsChange: Sendable {
  var hours: [CameraHour: Sums] = [:]
  var visitors: [CameraDay: Int64] = [:]
  var actions: [OperatorAction] = []

  var isEmpty: Bool { hours.isEmpty && visitors.isEmpty && actions.isEmpty }

  /// Adds what happened later.
  mutating func add(_ later: RecordsChange) {
    hours.merge(later.hours) { $0 + $1 }
    visitors.merge(later.visitors) { $0 + $1 }
    actions += later.actions
  }

  /// Drops what is too much to be kept in memory while the disk does not take it: the oldest first.
  ///
  /// - Returns: how many rows were dropped.
  mutating func limit(hours most: Int, actions mostActions: Int) -> Int {
    var dropped = max(0, actions.count - mostActions)
    actions.removeFirst(dropped)
    if hours.count > most {
      let old = hours.keys.sorted { $0.hour < $1.hour }.prefix(hours.count - most)
      for key in old { hours[key] = nil }
      dropped += old.count
    }
    if visitors.count > most {
      let old = visitors.keys.sorted { $0.day < $1.day }.prefix(visitors.count - most)
      for key in old { visitors[key] = nil }
      dropped += old.count
    }
    return dropped
  }
}

extension Sums {
  static func + (left: Sums, right: Sums) -> Sums {
    var sum = left
    sum += right
    return sum
  }
}

extension RecordsDatabase {
  /// Adds to the sums of hours and days, and notes actions; all of it, or nothing.
  func write(_ change: RecordsChange) throws {
    let names = Self.columns.joined(separator: ", ")
    let marks = Self.columns.map { _ in "?" }.joined(separator: ", ")
    let updates = Self.columns.enumerated().map { index, name in
      index == 0 ? "\(name) = max(\(name), excluded.\(name))" : "\(name) = \(name) + excluded.\(name)"
    }.joined(separator: ", ")
    try queue.write { database in
      let hours = try database.cachedStatement(
        sql: "INSERT INTO hours (camera, hour, \(names)) VALUES (?, ?, \(marks)) "
          + "ON CONFLICT (camera, hour) DO UPDATE SET \(updates)")
      for (key, sums) in change.hours {
        let values: [any DatabaseValueConvertible] = [key.camera, key.hour] + sums.values
        try hours.execute(arguments: StatementArguments(values))
      }
      let days = try database.cachedStatement(
        sql: "INSERT INTO days (camera, day, visitors) VALUES (?, ?, ?) "
          + "ON CONFLICT (camera, day) DO UPDATE SET visitors = visitors + excluded.visitors")
      for (key, count) in change.visitors { try days.execute(arguments: [key.camera, key.day, count]) }
      let actions = try database.cachedStatement(
        sql: "INSERT INTO actions (time, camera, what, how, outcome) VALUES (?, ?, ?, ?, ?)")
      for action in change.actions {
        try actions.execute(arguments: [
          action.time.milliseconds, action.camera, action.what, action.way.rawValue, action.outcome,
        ])
      }
    }
  }

  /// Removes what lies before a day.
  func forget(before day: Int64) throws {
    try queue.write { database in
      try database.execute(sql: "DELETE FROM hours WHERE hour < ?", arguments: [day * 24])
      try database.execute(sql: "DELETE FROM days WHERE day < ?", arguments: [day])
      try database.execute(sql: "DELETE FROM actions WHERE time < ?", arguments: [day * 86_400_000])
    }
  }

  /// The visitors of a day, by camera.
  func visitors(ofDay day: Int64) throws -> [String: Int64] {
    try queue.read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT \(Self.text("camera")), \(Self.count("visitors")) FROM days WHERE day = ?",
        arguments: [day])
      return Dictionary(rows.map { ($0[0], $0[1]) }, uniquingKeysWith: { max($0, $1) })
    }
  }

  /// The sums of periods that begin within a time, by camera and in order of time.
  ///
  /// - Parameters:
  ///   - camera: only of this one; an empty name is that of what belongs to no camera.
  ///   - from: the first moment; hours that have begun before it do not count.
  package func sums(
    by length: PeriodSums.Length, camera: String? = nil, from: WallTime, to: WallTime
  ) throws -> [PeriodSums] {
    let format =
      switch length {
      case .hour: "%Y-%m-%dT%H:00Z"
      case .day: "%Y-%m-%d"
      case .month: "%Y-%m"
      }
    let sums = Self.columns.enumerated().map { index, name in
      Self.count(index == 0 ? "max(\(Self.count(name)))" : "sum(\(Self.count(name)))")
    }
    var arguments: StatementArguments = [format, from.hour + (from.milliseconds % 3_600_000 == 0 ? 0 : 1), to.hour]
    if let camera { arguments += [camera] }
    let statement =
      "SELECT \(Self.text("camera")), \(Self.text("strftime(?, hour * 3600, 'unixepoch')")) AS period, "
      + "\(Self.count("min(hour)")), \(sums.joined(separator: ", ")) "
      + "FROM hours WHERE hour >= ? AND hour <= ?\(camera == nil ? "" : " AND camera = ?") "
      + "GROUP BY camera, period ORDER BY camera, period"
    return try queue.read { database in
      let visitors = length == .day ? try Self.visitors(database, from: from.day, to: to.day) : [:]
      return try Row.fetchAll(database, sql: statement, arguments: arguments).map { row in
        let (camera, hour): (String, Int64) = (row[0], row[2])
        let values: [Int64] = Self.columns.indices.map { row[3 + $0] }
        let begin = length == .hour ? hour * 3600 : hour / 24 * 86_400
        return PeriodSums(
          camera: camera, period: row[1], begin: begin, sums: Sums(values: values),
          visitors: length == .day ? visitors[CameraDay(camera: camera, day: hour / 24)] ?? 0 : nil)
      }
    }
  }

  private static func visitors(_ database: Database, from: Int64, to: Int64) throws -> [CameraDay: Int64] {
    let rows = try Row.fetchAll(
      database,
      sql: "SELECT \(text("camera")), \(count("day")), \(count("visitors")) FROM days WHERE day >= ? AND day <= ?",
      arguments: [from, to])
    return Dictionary(
      rows.map { (CameraDay(camera: $0[0], day: $0[1]), $0[2]) }, uniquingKeysWith: { max($0, $1) })
  }

  // In a damaged file a value can be of another kind than its column, or of any size, and no check of SQLite finds that.

  /// An expression of SQL as a text.
  private static func text(_ expression: String) -> String { "coalesce(CAST(\(expression) AS TEXT), '')" }

  /// An expression of SQL as a whole number from 0 to 2^53: a thousand of them can be added without a check.
  private static func count(_ expression: String) -> String {
    "min(max(coalesce(CAST(\(expression) AS INTEGER), 0), 0), \(1 << 53))"
  }

  /// The newest actions, the newest first.
  package func actions(newest count: Int, camera: String? = nil) throws -> [OperatorAction] {
    try queue.read { database in
      let filter = camera == nil ? "" : "WHERE camera = ? "
      var arguments = StatementArguments()
      if let camera { arguments += [camera] }
      arguments += [max(0, count)]
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT \(Self.count("time")), CAST(camera AS TEXT), \(Self.text("what")), \(Self.text("how")), "
          + "\(Self.text("outcome")) FROM actions \(filter)ORDER BY id DESC LIMIT ?",
        arguments: arguments)
      return rows.map { row in
        OperatorAction(
          time: WallTime(milliseconds: row[0]), camera: row[1], what: row[2],
          way: OperatorAction.Way(rawValue: row[3]) ?? .api, outcome: row[4])
      }
    }
  }
}
