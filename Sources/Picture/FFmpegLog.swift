import CFFmpeg
import Logging
import NIOConcurrencyHelpers

/// Passes the log of FFmpeg's libraries to swift-log, at most a few lines a second.
///
/// FFmpeg has one log for the whole process, and a camera that sends damaged pictures causes a line with every picture.
/// Lines over the rate are counted, and the count is logged with the next line.
package enum FFmpegLog {
  /// Lines a second that pass.
  static let linesPerSecond = 5

  private static let state = NIOLockedValueBox<(logger: Logger?, limit: LineLimit)>(
    (nil, LineLimit(perSecond: linesPerSecond)))

  /// Sends FFmpeg's warnings and errors to `logger` from now on, for the whole process.
  package static func redirect(to logger: Logger) {
    state.withLockedValue { $0.logger = logger }
    av_log_set_level(AV_LOG_WARNING)
    av_log_set_callback { source, level, format, arguments in
      guard level <= AV_LOG_WARNING, let format, let arguments else { return }
      var line = [CChar](repeating: 0, count: 512)
      var printsPrefix: Int32 = 1
      av_log_format_line(source, level, format, arguments, &line, Int32(line.count), &printsPrefix)
      let end = line.firstIndex(of: 0) ?? line.endIndex
      var text = Substring(String(decoding: line[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self))
      while text.last?.isWhitespace == true { text.removeLast() }
      if !text.isEmpty { FFmpegLog.emit(String(text), isError: level <= AV_LOG_ERROR) }
    }
  }

  private static func emit(_ line: String, isError: Bool) {
    let now = ContinuousClock.now
    let (logger, dropped) = state.withLockedValue { state -> (Logger?, Int?) in
      (state.logger, state.limit.admit(at: now))
    }
    guard let logger, let dropped else { return }
    let metadata: Logger.Metadata? = dropped > 0 ? ["dropped": "\(dropped)"] : nil
    // A damaged still is not an error of the program, so FFmpeg's errors are warnings here.
    logger.log(level: isError ? .warning : .debug, "\(line)", metadata: metadata)
  }
}

/// Lets this many lines pass in each second and counts the others.
struct LineLimit {
  private let perSecond: Int
  private var windowStart: ContinuousClock.Instant?
  private var passed = 0
  private var dropped = 0

  init(perSecond: Int) { self.perSecond = perSecond }

  /// Takes one line: the number of lines dropped before it if it passes, `nil` if it is dropped itself.
  mutating func admit(at now: ContinuousClock.Instant) -> Int? {
    if windowStart.map({ now - $0 >= .seconds(1) }) ?? true {
      windowStart = now
      passed = 0
    }
    guard passed < perSecond else {
      dropped += 1
      return nil
    }
    passed += 1
    defer { dropped = 0 }
    return dropped
  }
}
