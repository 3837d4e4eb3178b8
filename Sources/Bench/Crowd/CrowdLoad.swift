import Foundation
import Media

/// The processor time that a crowd costs: the server's, where it runs as a child of this program, and this program's own.
struct CrowdLoad: Sendable {
  /// What was used since the look before, in thousandths of all processors.
  struct Share: Sendable {
    /// `nil` where it is not known.
    let server: Int?
    let bench: Int
  }

  private struct Reading {
    let time: ContinuousClock.Instant
    let server: Ticks?
    let bench: Ticks

    init(_ process: ServerProcess?) {
      time = .now
      server = process?.processorTime.map { Ticks($0) }
      bench = Ticks(.nanoseconds(CPUTime.process))
    }
  }

  private let process: ServerProcess?
  private let first: Reading
  private var last: Reading
  /// The processors of the machine.
  let cores = ProcessInfo.processInfo.activeProcessorCount

  /// What is used from now on.
  init(server: ServerProcess?) {
    process = server
    first = Reading(server)
    last = first
  }

  /// The most memory that the server has had, in KiB.
  var peakKiB: Int { process?.peakKiB ?? 0 }

  /// Since the beginning.
  var whole: Share { share(from: first, to: Reading(process)) }

  /// Since the last look.
  mutating func look() -> Share {
    let now = Reading(process)
    defer { last = now }
    return share(from: last, to: now)
  }

  private func share(from earlier: Reading, to later: Reading) -> Share {
    let all = max(1, Ticks(later.time - earlier.time).count * Int64(cores))
    func thousandths(_ used: Ticks) -> Int { Int(used.count * 1000 / all) }
    let server = earlier.server.flatMap { before in later.server.map { thousandths($0 - before) } }
    return Share(server: server, bench: thousandths(later.bench - earlier.bench))
  }
}
