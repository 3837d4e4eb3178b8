import Logging

extension Logger {
  /// A logger for tests that look at nothing it says.
  package static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
