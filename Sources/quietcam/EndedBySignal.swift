import ArgumentParser
import UnixSignals

/// Runs work that starts programs or changes a camera. If this process is told to end, the work is cancelled and undoes
/// what it began, such as a server of its own, before the process ends.
///
/// - Throws: what `work` throws, and the exit code of a signal (128 and its number).
func endedBySignal<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
  let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
  return try await withThrowingTaskGroup(of: Result.self) { group in
    group.addTask { try await work() }
    group.addTask {
      for await signal in signals { throw ExitCode(128 + signal.rawValue) }
      throw CancellationError()
    }
    // The group waits for the work in any case.
    defer { group.cancelAll() }
    guard let result = try await group.next() else { throw CancellationError() }
    return result
  }
}
