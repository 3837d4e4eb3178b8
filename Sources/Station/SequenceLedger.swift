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

  /// All numbers below this one may be used.
  private(set) var reserved: Int

  private struct File: Codable {
    var reservedSequence: Int
  }

  /// Reads the ledger of `folder`, or begins one, and reserves the first numbers.
  ///
  /// Where there is no ledger the numbers begin at the seconds since 2025: above whatever an earlier life of the
  /// camera used at one segment a second or less, so that names in somebody's cache stay apart.
  ///
  /// - Returns: the ledger and the first number that is free.
  static func open(folder: String?, now: WallTime, logger: Logger) -> (ledger: SequenceLedger, first: Int) {
    let fresh = max(0, Int((now.milliseconds - 1_735_689_600_000) / 1000))
    var first = fresh
    if let folder, let text = FileManager.default.contents(atPath: folder + "/" + fileName) {
      if let file = try? JSONDecoder().decode(File.self, from: text), file.reservedSequence >= 0 {
        first = file.reservedSequence
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
