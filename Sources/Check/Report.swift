import Media

/// The result of a check: one line for each rule, and the findings.
package struct Report: Sendable {
  /// What was checked.
  package struct Counts: Sendable {
    /// Answers with the media playlist.
    package var versions = 0
    /// The number of variants; the first was followed.
    package var variants = 1
    /// Segments that were fetched.
    package var segments = 0
    /// Parts that were fetched.
    package var parts = 0
    /// Requests made.
    package var requests = 0
    /// Bytes of all bodies.
    package var bytes = 0
  }

  /// The result of a rule.
  package enum Outcome: String, Sendable {
    /// It applied and held.
    case held
    /// It did not hold.
    case failed
    /// Nothing in the stream, or in the time given, was about it.
    case notApplicable
  }

  /// The address that was given.
  package let url: String
  /// The media playlist that was followed.
  package let mediaURL: String
  /// How long it was followed.
  package let watched: Ticks
  /// What was checked.
  package let counts: Counts
  /// The results.
  package let verdicts: Verdicts
  /// Whether the stream has parts.
  package let isLowLatency: Bool

  /// The result of a rule.
  package func outcome(_ rule: Rule) -> Outcome {
    if verdicts.counts[rule] != nil { return .failed }
    return verdicts.judged.contains(rule) ? .held : .notApplicable
  }

  /// Whether every rule of weight `must` held.
  package var holds: Bool { verdicts.holds }

  /// Findings that differ only in numbers and places.
  struct Group {
    let first: Finding
    var count: Int
  }

  /// The findings, similar ones together, the most serious first.
  var groups: [Group] {
    var groups: [Group] = []
    var indices: [String: Int] = [:]
    for finding in verdicts.findings {
      let key = "\(finding.rule)\(finding.severity)\(finding.message.filter { !$0.isNumber })"
      if let index = indices[key] {
        groups[index].count += 1
      } else {
        indices[key] = groups.count
        groups.append(Group(first: finding, count: 1))
      }
    }
    return groups.enumerated().sorted {
      ($1.element.first.severity, $0.offset) < ($0.element.first.severity, $1.offset)
    }.map(\.element)
  }

  // MARK: Text

  /// The report for a terminal.
  package var text: String {
    var lines = [
      "\(mediaURL)\(isLowLatency ? ", low latency" : "")"
        + (counts.variants > 1 ? ", the first of \(counts.variants) variants" : "")
    ]
    lines.append(
      "watched \(Ticks.milliseconds(watched.milliseconds)): \(counts.versions) playlists, \(counts.segments) segments, "
        + "\(counts.parts) parts, \(counts.requests) requests, \(counts.bytes / 1000) kB")
    lines.append("")
    for rule in Rule.allCases {
      let mark: String =
        switch outcome(rule) {
        case .held: "✓"
        case .failed: isBroken(rule) ? "✗" : "!"
        case .notApplicable: "–"
        }
      let number = rule.rawValue + String(repeating: " ", count: 3 - rule.rawValue.count)
      lines.append("\(mark) \(number) \(rule.title)")
    }
    let groups = groups
    if !groups.isEmpty { lines.append("") }
    for group in groups {
      let finding = group.first
      let times = group.count > 1 ? " (\(group.count) times, first here)" : ""
      lines.append("\(finding.severity == .must ? "✗" : "!") \(finding.rule.rawValue) \(finding.message)\(times)")
      var place = [finding.place, finding.version > 0 ? "playlist \(finding.version)" : "", finding.url]
      place.removeAll(where: \.isEmpty)
      lines.append("     \(place.joined(separator: ", "))")
      lines.append("     \(finding.severity.rawValue): \(Self.reference(finding.section))")
    }
    lines.append("")
    let failed = Rule.allCases.filter { outcome($0) == .failed }
    let (broken, advised) = (failed.filter(isBroken), failed.filter { !isBroken($0) })
    let rest = advised.isEmpty ? "" : "; \(advised.count) of what should hold did not (!)"
    lines.append(
      broken.isEmpty ? "All that must hold held\(rest)." : "\(broken.count) of what must hold did not (✗)\(rest).")
    return lines.joined(separator: "\n")
  }

  private func isBroken(_ rule: Rule) -> Bool {
    verdicts.findings.contains { $0.rule == rule && $0.severity == .must }
  }

  /// A section with the name of its document.
  static func reference(_ section: String) -> String {
    section.first?.isNumber == true ? "rfc8216bis \(section)" : section
  }

  // MARK: JSON

  /// The report as one JSON object (RFC 8259): `url`, `media`, `seconds`, `counts`, `holds`, `rules`, `findings`.
  package var json: String {
    let rules = Rule.allCases.map { rule in
      "{\"rule\":\(rule.rawValue.jsonQuoted),\"title\":\(rule.title.jsonQuoted),"
        + "\"section\":\(Self.reference(rule.section).jsonQuoted),\"outcome\":\(outcome(rule).rawValue.jsonQuoted),"
        + "\"findings\":\(verdicts.counts[rule] ?? 0)}"
    }
    let findings = verdicts.findings.map { finding in
      "{\"rule\":\(finding.rule.rawValue.jsonQuoted),\"severity\":\(finding.severity.rawValue.jsonQuoted),"
        + "\"message\":\(finding.message.jsonQuoted),\"url\":\(finding.url.jsonQuoted),\"place\":\(finding.place.jsonQuoted),"
        + "\"playlist\":\(finding.version),\"seconds\":\(finding.time.secondsText),"
        + "\"section\":\(Self.reference(finding.section).jsonQuoted)}"
    }
    let counts =
      "{\"variants\":\(counts.variants),\"playlists\":\(counts.versions),\"segments\":\(counts.segments),"
      + "\"parts\":\(counts.parts),\"requests\":\(counts.requests),\"bytes\":\(counts.bytes)}"
    return
      "{\"url\":\(url.jsonQuoted),\"media\":\(mediaURL.jsonQuoted),\"seconds\":\(watched.secondsText),\"counts\":\(counts),"
      + "\"lowLatency\":\(isLowLatency),\"holds\":\(holds),\n\"rules\":[\n\(rules.joined(separator: ",\n"))\n],\n"
      + "\"findings\":[\n\(findings.joined(separator: ",\n"))\n]}"
  }
}
