import Access
import ArgumentParser
import Foundation
import GRDB
import Media
import Records
import Settings
import Station

/// `quietcam visits`: prints what was counted.
struct Visits: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print how many watched, for how long, and what was sent.",
    discussion: """
      The figures are read from the store of the server, also while it runs; the last ten seconds may be missing. Days \
      are those of UTC, because visitors are told apart within such a day alone, and never from one day to the next.

        quietcam visits                          the last seven days
        quietcam visits --since 24h --by hour
        quietcam visits --since 2026-01-01 --by month --csv
      """)

  @Option(
    help: ArgumentHelp(
      "The beginning: a time ago (36h, 7d, 52w) or a day (2026-11-01).", valueName: "time")) var since = VisitsSince(
      seconds: 7 * 86_400)
  @Option(help: ArgumentHelp("Sums of each hour, day or month.", valueName: "hour|day|month")) var by = PeriodSums
    .Length.day
  @Option(help: ArgumentHelp("Only this camera.", valueName: "name")) var camera: CameraName?
  @Flag(help: "Comma-separated values.") var csv = false
  @Flag(help: "JSON.") var json = false
  @Option(help: ArgumentHelp("The YAML file that the server has.", valueName: "file")) var config: String?
  @Option(help: .setting("store")) var store: String?

  func validate() throws {
    if csv && json { throw ValidationError("--csv and --json are two forms of the same; give one of them") }
  }

  func run() throws {
    let path = "\(try folder())/\(RecordsDatabase.fileName)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw ValidationError(
        "nothing was counted yet: there is no \(path); give the server's own --config or --store, and run this in the "
          + "folder that the server was started in")
    }
    let rows: [PeriodSums]
    do {
      let database = try RecordsDatabase(reading: path)
      let now = WallTime.now
      rows = try database.sums(by: by, camera: camera?.text, from: since.begin(by, now: now), to: now)
    } catch let error as DatabaseError {
      throw ValidationError(
        "cannot read \(path): \(error.message ?? "\(error)"); run this as the user of the server, on the machine of the "
          + "server")
    }
    let text = VisitsText(rows, by: by)
    print(json ? text.json : csv ? text.csv : text.table, terminator: "")
  }

  /// The folder of the store.
  private func folder() throws -> String {
    var flags: [String: String] = [:]
    if let store { flags["store"] = store }
    if config == nil, (ProcessInfo.processInfo.environment["QUIETCAM_CONFIG"] ?? "").isEmpty {
      // Only the store matters, but settings need a camera, and a camera needs a token.
      flags["camera"] = camera?.text ?? "any"
      flags["token"] = AccessToken().text
    }
    guard case .folder(let folder) = try ServeSettings.load(config: config, flags: flags).store else {
      throw ValidationError("the store is memory, so nothing is kept of visits; give a folder with --store")
    }
    return folder
  }
}

/// The beginning of the figures that are printed: a time ago, or a day.
struct VisitsSince: ExpressibleByArgument {
  private let seconds: Int64?
  private let day: Int64?

  init(seconds: Int64) { self.init(seconds: seconds, day: nil) }

  private init(seconds: Int64?, day: Int64?) { (self.seconds, self.day) = (seconds, day) }

  init?(argument: String) {
    let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400]
    if let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
      (1...100 * 366 * 86_400 / unit).contains(count)
    {
      self.init(seconds: count * unit)
      return
    }
    let pieces = argument.split(separator: "-", omittingEmptySubsequences: false)
    guard pieces.map(\.count) == [4, 2, 2],
      argument.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: "-") }),
      let date = try? Date("\(argument)T00:00:00Z", strategy: .iso8601)
    else { return nil }
    self.init(seconds: nil, day: Int64(date.timeIntervalSince1970.rounded()) / 86_400)
  }

  /// The beginning of the first period that is printed: `7d` are today and the six days before it.
  func begin(_ length: PeriodSums.Length, now: WallTime) -> WallTime {
    if let day { return WallTime(milliseconds: day * 86_400_000) }
    let begin = WallTime(milliseconds: now.milliseconds - (seconds ?? 0) * 1000)
    return switch length {
    case .hour: WallTime(milliseconds: (begin.hour + 1) * 3_600_000)
    case .day: WallTime(milliseconds: (begin.day + 1) * 86_400_000)
    case .month: WallTime(milliseconds: begin.day * 86_400_000)
    }
  }

  var defaultValueDescription: String { "7d" }
}

extension PeriodSums.Length: ExpressibleByArgument {}
