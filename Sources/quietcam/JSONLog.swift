import Glibc
import Logging
import Media
import Station

/// Writes each message of the log as one JSON object on a line of its own to the standard error.
///
/// `time`, `level` and `message` are always there; `metadata` is an object of texts, left out where it is empty.
struct JSONLog: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  private let write: @Sendable (String) -> Void

  /// - Parameter write: gets each line with its end, in one call.
  init(write: @escaping @Sendable (String) -> Void = Self.toStandardError) { self.write = write }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    write(Self.line(level: event.level, "\(event.message)", metadata.merging(event.metadata ?? [:]) { $1 }, at: .now))
  }

  /// The line of a message.
  static func line(level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at time: WallTime) -> String {
    var members = [("time", time.iso8601), ("level", level.rawValue), ("message", message)]
      .map { "\($0.jsonQuoted):\($1.jsonQuoted)" }
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }.map { "\($0.key.jsonQuoted):\("\($0.value)".jsonQuoted)" }
      members.append("\("metadata".jsonQuoted):{\(texts.joined(separator: ","))}")
    }
    return "{\(members.joined(separator: ","))}\n"
  }

  /// One call of the system for each line, so that lines of several threads do not mix.
  private static let toStandardError: @Sendable (String) -> Void = { line in
    var bytes = Array(line.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
