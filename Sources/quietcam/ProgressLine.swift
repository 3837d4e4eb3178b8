import Foundation

/// The progress of long work on standard error: one line that is redrawn on a terminal, otherwise a new line from time
/// to time.
struct ProgressLine {
  private let isSilent: Bool
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var shownAt: ContinuousClock.Instant?
  private var isOpen = false

  /// A line that shows nothing if `isSilent`.
  init(isSilent: Bool = false) { self.isSilent = isSilent }

  /// Shows the text if it is due: ten times a second on a terminal, otherwise every five seconds.
  mutating func show(_ text: @autoclosure () -> String) {
    if isSilent { return }
    let now = ContinuousClock.now
    guard shownAt.map({ now - $0 >= (isTerminal ? .milliseconds(100) : .seconds(5)) }) ?? true else { return }
    shownAt = now
    Self.write(isTerminal ? "\r\(text())\u{1B}[K" : text() + "\n")
    isOpen = isTerminal
  }

  /// Removes the line before other output.
  mutating func clear() {
    if isOpen { Self.write("\r\u{1B}[K") }
    isOpen = false
  }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
