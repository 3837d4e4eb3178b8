import Foundation
import Logging
import Media
import NIOCore

/// Remembers over restarts which media sequence numbers a camera has used, so that none is used twice: segments are
/// cached for a year by their names.
///
/// Numbers are reserved ahead in `state.json`, and the file is written behind by the mirror; a process that dies
/// leaves a gap and never a repeat.
struct SequenceLedger: Sendable {
  static let fileName = "state.json"
  /// How many numbers are reserved at once: some hours of segments.
  private static let reserve = 1000
  /// What players that count in doubles can still tell apart; a ledger that says more is damaged.
  private static let highest = 1 << 53

  /// All numbers below this one may be used.
  private(set) var reserved: Int

  private struct File: Codable {
    var reservedSequence: Int
  }

  /// Reads the ledger of `folder`, or begins one, and reserves the first numbers.
  ///
  /// The numbers begin no lower than the hundredths of seconds since 2025. No life of a process uses as many, not even
  /// a short one that fills its window at once, so names stay apart also where a ledger was lost, could not be
  /// written, or belongs to another store; the ledger itself guards against a clock that has stepped back.
  ///
  /// - Returns: the ledger and the first number that is free.
  static func open(folder: String?, now: WallTime, logger: Logger) -> (ledger: SequenceLedger, first: Int) {
    let fresh = max(0, Int((now.milliseconds - 1_735_689_600_000) / 10))
    var first = fresh
    if let folder, let text = FileManager.default.contents(atPath: folder + "/" + fileName) {
      if let file = try? JSONDecoder().decode(File.self, from: text),
        (0...highest).contains(file.reservedSequence)
      {
        first = max(fresh, file.reservedSequence)
      } else {
        logger.warning(
          "\(fileName) is damaged; segments are numbered by the clock instead",
          metadata: ["folder": "\(folder)", "first": "\(fresh)"])
      }
    }
    return (SequenceLedger(reserved: first + reserve), first)
  }

  /// Reserves more numbers when `sequence` comes near the end of those that are reserved.
  mutating func use(_ sequence: Int) {
    if sequence + Self.reserve / 2 > reserved { reserved = sequence + Self.reserve }
  }

  /// The file's content.
  var bytes: ByteBuffer { ByteBuffer(string: "{\"reservedSequence\":\(reserved)}\n") }
}
