import Media

/// One place where a stream breaks a rule.
package struct Finding: Hashable, Sendable {
  /// The rule.
  package let rule: Rule
  /// The weight of this finding, which can differ from the rule's own.
  package let severity: Rule.Severity
  /// The section of the specification.
  package let section: String
  /// The address of the playlist or resource.
  package let url: String
  /// The place in it: a line, a segment, a part; empty for all of it.
  package let place: String
  /// The version of the playlist, counted from 1 in the order of arrival; 0 if no playlist is concerned.
  package internal(set) var version: Int
  /// When, on the check's own clock.
  package internal(set) var time: Ticks
  /// What is wrong and what should be there instead.
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

/// What the check knows so far: which rules it could check, and what it found.
package struct Verdicts: Sendable {
  /// Rules that applied to something in the stream.
  package private(set) var judged: Set<Rule> = []
  /// What was found, in the order of time; at most `limit` for each rule, so that a bad stream cannot fill the memory.
  package private(set) var findings: [Finding] = []
  /// How many findings each rule had.
  package private(set) var counts: [Rule: Int] = [:]
  /// Findings kept for one rule.
  static let limit = 200

  /// Nothing yet.
  package init() {}

  /// Notes that these rules could be checked.
  mutating func judge(_ rules: Rule...) { judged.formUnion(rules) }

  /// Adds a finding.
  mutating func add(_ finding: Finding) {
    judged.insert(finding.rule)
    counts[finding.rule, default: 0] += 1
    if (counts[finding.rule] ?? 0) <= Self.limit { findings.append(finding) }
  }

  /// Adds everything of another one.
  mutating func merge(_ other: Verdicts) {
    judged.formUnion(other.judged)
    for finding in other.findings { add(finding) }
  }

  /// Gives the findings a time, and a version if they have none.
  mutating func stamp(_ time: Ticks, version: Int) {
    for index in findings.indices {
      findings[index].time = time
      if findings[index].version == 0 { findings[index].version = version }
    }
  }

  /// Whether no rule of weight `must` is broken.
  package var holds: Bool { !findings.contains { $0.severity == .must } }
}
