import Media

/// What a pusher has done so far, and the status line.
package struct PushReport: Sendable {
  /// The camera's name.
  package let name: String
  /// Stills that the server accepted.
  package private(set) var taken = 0
  /// Their bytes.
  package private(set) var bytes = 0
  /// Stills that the server refused for good.
  package private(set) var refused = 0
  /// Tries that failed: no connection, no answer, not now.
  package private(set) var failures = 0
  /// The last problem; `nil` after a still was accepted.
  package private(set) var trouble: String?

  private var start: Ticks
  private var last: (bytes: Int, status: Int, latency: Ticks)?
  private var recent: [Ticks] = []

  /// A report that begins at `start`.
  package init(name: String, start: Ticks) {
    self.name = name
    self.start = start
  }

  /// The server accepted a still of this many bytes and answered after `latency`.
  package mutating func take(bytes count: Int, status: Int, latency: Ticks, at now: Ticks) {
    taken += 1
    bytes += count
    last = (count, status, latency)
    trouble = nil
    recent.append(now)
    recent.removeFirst(max(0, recent.count - Self.mostRecent))
  }

  /// The server refused a still for good, with a reason.
  package mutating func refuse(_ reason: String) {
    refused += 1
    trouble = reason
  }

  /// A try failed; the next is after `wait`.
  package mutating func fail(_ reason: String, wait: Ticks) {
    failures += 1
    trouble = "retry in \(Self.tenths(wait.count * 10, of: Ticks.perSecond)) s: \(reason)"
  }

  /// The source had nothing, for this reason.
  package mutating func miss(_ reason: String) { trouble = reason }

  /// Accepted stills that the rate is measured over.
  private static let mostRecent = 61

  /// Stills accepted in a minute, in tenths, over the last 60 of them; 0 before the second one.
  package var tenthsPerMinute: Int64 {
    guard let first = recent.first, let end = recent.last, first < end else { return 0 }
    return (Int64(recent.count - 1) * 600 * Ticks.perSecond + (end - first).count / 2) / (end - first).count
  }

  /// Changes only when something happens, so a new line is printed only when it changes.
  package var state: String { trouble ?? "\(last?.status ?? 0)" }

  /// The status, cut to `width` characters:
  /// `desk  812 stills  30.0/min  27.4 kB  202 in 4 ms  0 refused  retry in 2.0 s: connection refused`.
  package func line(width: Int = .max) -> String {
    var fields = [name, "\(taken) \(taken == 1 ? "still" : "stills")"]
    if tenthsPerMinute > 0 { fields.append("\(tenthsPerMinute / 10).\(tenthsPerMinute % 10)/min") }
    if let last { fields += [Self.size(last.bytes), "\(last.status) in \(last.latency.milliseconds) ms"] }
    fields.append("\(refused) refused")
    if let trouble { fields.append(trouble) }
    let line = fields.joined(separator: "  ")
    return line.count <= width ? line : line.prefix(max(0, width - 1)) + "…"
  }

  /// The last line: `desk  812 stills taken, 22.2 MB in 1624.0 s, 0 refused, 3 tries failed`.
  package func summary(at now: Ticks) -> String {
    let seconds = Self.tenths((now - start).count * 10, of: Ticks.perSecond)
    return "\(name)  \(taken) \(taken == 1 ? "still" : "stills") taken, \(Self.size(bytes)) in \(seconds) s, "
      + "\(refused) refused, \(failures) \(failures == 1 ? "try" : "tries") failed"
  }

  /// Bytes for people: `912 B`, `27.4 kB`, `3.1 MB`.
  static func size(_ bytes: Int) -> String {
    if bytes < 1000 { return "\(bytes) B" }
    return bytes < 999_950
      ? "\(tenths(Int64(bytes) * 10, of: 1000)) kB" : "\(tenths(Int64(bytes) * 10, of: 1_000_000)) MB"
  }

  /// A number with one decimal, rounded half up: `number` is ten times the value, in units of `unit`.
  private static func tenths(_ number: Int64, of unit: Int64) -> String {
    let rounded = (number + unit / 2) / unit
    return "\(rounded / 10).\(rounded % 10)"
  }
}
