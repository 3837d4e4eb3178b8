import NIOCore

/// How many frames a client of HTTP/2 may send that ask for nothing and bring nothing, as changes of windows do.
///
/// NIO limits PING, SETTINGS, PRIORITY and RST_STREAM by themselves; here all frames but heads and bodies count, those of
/// unknown kinds too. A client needs some of them for each request and for each DATA frame that it gets.
struct FrameBudget {
  /// The frames that are free in each time, for whatever reason they are sent.
  static let free = 1000
  /// The frames that each request and each DATA frame brings with it.
  static let share = 8
  private static let time = TimeAmount.seconds(30)

  private var began: NIODeadline
  private var left = Self.free

  init(now: NIODeadline) { began = now }

  /// A request came, or a DATA frame leaves.
  mutating func earn() { left += Self.share }

  /// One of the frames came; `false` where it is one too many.
  mutating func spend(now: NIODeadline) -> Bool {
    if now - began > Self.time { (began, left) = (now, max(left, Self.free)) }
    left -= 1
    return left >= 0
  }
}
