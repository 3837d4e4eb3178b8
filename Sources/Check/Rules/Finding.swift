import Media

/// One place where a stream breaks a rule.
package struct Finding: Hashable, Sendable {
  /// The rule.
  package let rule: Rule
  /// The weight of this break, which may differ from the rule's own.
  package let severity: Rule.Severity
  /// The section that says so.
  package let section: String
  /// The address of the playlist or resource.
  package let url: String
  /// Where in it: a line, a segment, a part; empty where the whole is meant.
  package let place: String
  /// Which version of the playlist, counted from 1 in the order they came; 0 where no playlist is concerned.
  package internal(set) var version: Int
  /// When, on the check's own clock.
  package internal(set) var time: Ticks
  /// What is wrong and what should be there.
  package let message: String

  init(
    _ rule: Rule, _ message: String, url: String, place: String = "", version: Int = 0, time: Ticks = .zero,
    severity: Rule.Severity? = nil, section: String? = nil
  ) {
    self.rule = rule
    self.severity = severity ?? rule.severity
    self.section = section ?? rule.section
    self.url = url
    self.place = place
    self.version = version
    self.time = time
    self.message = message
  }
}

/// What the check knows so far: which rules it had an occasion to judge, and what it found.
package struct Verdicts: Sendable {
  /// Rules that applied to something in the stream.
  package private(set) var judged: Set<Rule> = []
  /// What was found, in the order of time; of each rule at most `limit`, so that a bad stream fills no memory.
  package private(set) var findings: [Finding] = []
  /// How many findings of each rule there were.
  package private(set) var counts: [Rule: Int] = [:]
  /// Findings kept of one rule.
  static let limit = 200

  /// Nothing known.
  package init() {}

  /// Notes that rules had an occasion to hold.
  mutating func judge(_ rules: Rule...) { judged.formUnion(rules) }

  /// Adds a finding.
  mutating func add(_ finding: Finding) {
    judged.insert(finding.rule)
    counts[finding.rule, default: 0] += 1
    if (counts[finding.rule] ?? 0) <= Self.limit { findings.append(finding) }
  }

  /// Adds all that another one knows.
  mutating func merge(_ other: Verdicts) {
    judged.formUnion(other.judged)
    for finding in other.findings { add(finding) }
  }

  /// Gives the findings a time, and a version where they have none.
  mutating func stamp(_ time: Ticks, version: Int) {
    for index in findings.indices {
      findings[index].time = time
      if findings[index].version == 0 { findings[index].version = version }
    }
  }

  /// Whether no rule of weight `must` is broken.
  package var holds: Bool { !findings.contains { $0.severity == .must } }
}
