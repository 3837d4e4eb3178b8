import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// Says what SIGHUP means to the server: nothing but a line in the log, and never the end.
struct HangUpSignal: Service {
  let logger: Logger

  /// Keeps the signal from ending the process before `run` listens to it.
  static func outlive() { signal(SIGHUP, SIG_IGN) }

  func run() async throws {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      logger.notice("SIGHUP: settings are read at the start alone; restart the server for new ones")
    }
  }
}
