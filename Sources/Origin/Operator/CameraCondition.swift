import Media
import Station

/// How a camera is, in a word and a sentence, for its operator.
struct CameraCondition: Hashable, Sendable {
  /// The word.
  enum State: String, Hashable, Sendable, CaseIterable {
    /// Stills come and are shown.
    case live
    /// No still came for longer than usual; the last picture stands.
    case held
    /// The loop is shown because no stills come.
    case off
    /// The loop is shown because the operator ordered it, or outside the camera's hours.
    case paused
    /// The loop is shown in place of live pictures, without notice to viewers.
    case veiled
  }

  /// What decides it.
  struct Facts: Hashable, Sendable {
    /// What is shown.
    var source: Director.Source
    /// Milliseconds since the newest still; `nil` before the first.
    var stillAge: Int64?
    /// The time between stills lately, in milliseconds; `nil` where too few came to say.
    var interval: Int64?
    /// How long the last picture stays when no stills come, in milliseconds; `nil` for ever.
    var hold: Int64?
    /// The operator's commands that are in force.
    var standing = Director.Standing()
    /// Whether the loop is still shown although the veil has ended.
    var isVeilEnding = false
    /// The camera's hours as they were written, if it is outside of them now.
    var closedHours: String?
  }

  /// The shortest time without a still, in milliseconds, that is more than a pause.
  private static let shortestGap: Int64 = 5000
  /// How many intervals without a still are more than usual.
  private static let intervals: Int64 = 3

  let state: State
  /// Why, as one sentence.
  let why: String

  init(_ facts: Facts) {
    switch facts.source {
    case .live:
      let veil =
        facts.standing.isVeiled ? " A veil is ordered; it begins with a segment, if the camera has a loop." : ""
      if let age = facts.stillAge, age <= Self.usualGap(facts) {
        self.init(.live, "Stills come.\(veil)")
        return
      }
      let since = facts.stillAge.map { "for \(Self.length($0))" } ?? "since the start"
      let hold = facts.hold.map { " until \(Self.length($0)) have passed, then the loop is shown" } ?? ""
      self.init(.held, "No still \(since). The last picture stands\(hold).")
    case .off:
      let why = facts.stillAge.map { "No still for \(Self.length($0))." } ?? "No still since the start."
      self.init(.off, "\(why) The loop is shown.")
    case .paused:
      let hours = facts.closedHours.map { "Outside its hours (\($0))." }
      let order = facts.standing.isPaused || hours == nil ? "Paused by the operator." : nil
      self.init(.paused, ([order, hours].compactMap { $0 } + ["The loop is shown."]).joined(separator: " "))
    case .veiled where facts.isVeilEnding:
      self.init(
        .veiled, "The veil is ending. The loop is shown until the camera's stills fit to it, mostly for a few seconds.")
    case .veiled:
      let by = facts.standing.isVeiled ? "Veiled by the operator" : "Veiled at random, as veil-every says"
      self.init(.veiled, "\(by). The loop is shown as if it were live.")
    }
  }

  private init(_ state: State, _ why: String) { (self.state, self.why) = (state, why) }

  private static func usualGap(_ facts: Facts) -> Int64 { max(shortestGap, (facts.interval ?? 0) * intervals) }

  /// A length of time in one or two units: `8 s`, `3 min`, `2 h 5 min`, `4 d`.
  static func length(_ milliseconds: Int64) -> String {
    let seconds = milliseconds / 1000
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) min"
    case ..<86_400: return "\(seconds / 3600) h" + (seconds / 60 % 60 == 0 ? "" : " \(seconds / 60 % 60) min")
    default: return "\(seconds / 86_400) d"
    }
  }
}
