import Logging
import NIOCore

/// What happens to a connection in whose pipeline our own handlers found no place.
enum MissingHandler {
  /// Logs the error and closes the connection, which would have neither limits nor deadlines.
  static func report(_ error: any Error, on channel: any Channel, logger: Logger) {
    logger.critical(
      """
      a connection was closed because its limits could not be set up: \(error); the server's HTTP library is not the \
      version that this program was made for, so build it with the versions in Package.swift
      """)
    channel.close(promise: nil)
  }
}
