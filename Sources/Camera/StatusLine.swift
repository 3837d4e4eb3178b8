import Foundation
import Media

/// Where a pusher reports: one line that is redrawn on a terminal, or a line from time to time in a file.
package struct StatusLine: Sendable {
  /// How the line is shown.
  package enum Style: Sendable {
    /// Redrawn in place, no wider than the columns of the terminal.
    case terminal
    /// A new line when something has changed, at least every 10 s.
    case lines
    /// Not at all.
    case silent
  }

  private let style: Style
  private let columns: @Sendable () -> Int
  private let write: @Sendable (String) -> Void
  private var lastShown: (time: Ticks, state: String)?

  /// A line in a style, through closures.
  ///
  /// - Parameters:
  ///   - columns: the current width of the terminal.
  ///   - write: writes the text unchanged, line ends included.
  package init(
    _ style: Style, columns: @escaping @Sendable () -> Int = { 80 },
    write: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.style = style
    self.columns = columns
    self.write = write
  }

  /// The line on standard error: in place on a terminal, otherwise as lines.
  package static func standardError() -> StatusLine {
    StatusLine(
      isatty(STDERR_FILENO) == 1 ? .terminal : .lines,
      columns: {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
      },
      write: { text in FileHandle.standardError.write(Data(text.utf8)) })
  }

  /// How often a line is due if nothing changes.
  private static let pause = Ticks.seconds(10)

  /// Shows the report if it is due.
  package mutating func show(_ report: PushReport, at now: Ticks) {
    switch style {
    case .silent: return
    case .terminal: write("\r\(report.line(width: columns() - 1))\u{1B}[K")
    case .lines:
      if let lastShown, lastShown.state == report.state, now - lastShown.time < Self.pause { return }
      write(report.line() + "\n")
    }
    lastShown = (now, report.state)
  }

  /// Ends with the summary on a line of its own.
  package mutating func finish(_ report: PushReport, at now: Ticks) {
    switch style {
    case .silent: return
    case .terminal: write("\r\u{1B}[K\(report.summary(at: now))\n")
    case .lines: write(report.summary(at: now) + "\n")
    }
  }
}
