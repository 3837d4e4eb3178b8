import Foundation

/// What an attack on the veil found: for each feature, how well it tells veiled windows from live ones.
package struct VeilResult: Sendable, Codable {
  /// One feature.
  package struct Row: Sendable, Codable {
    package let feature: String
    /// Live against live: what chance and the machine do.
    package let control: RankTest?
    /// Live against veiled.
    package let veiled: RankTest?
    /// Live against the windows in which a veil has just begun or ended.
    package let edge: RankTest?
    /// Whether it tells, by what `VeilResult.judge` asks for.
    package let tells: Bool

    /// Whether it was the same in all windows.
    var isConstant: Bool {
      [control, veiled, edge].allSatisfy { ($0?.distance ?? 0) == 0 && $0?.probability ?? 1 == 1 }
    }
  }

  /// The lengths of stretches and windows, in microseconds, and how many windows of each kind there are.
  package let window: Int64
  package let windows: [String: Int]
  /// Sorted by how much they tell.
  package let rows: [Row]

  /// The features that tell.
  package var telling: [Row] { rows.filter(\.tells) }

  /// Judges what was seen.
  ///
  /// A feature tells if so large a difference has a probability below 5 % by chance, shared among all features
  /// (Bonferroni), and the interval of its AUC is farther from a half than live against live is.
  ///
  /// - Parameters:
  ///   - window: the length of the windows, in microseconds.
  ///   - sent: when stills were sent, if it is known.
  package static func judge(
    _ seen: VeilSightings, _ stretches: [VeilStretch], window: Int64, sent: [Int64] = [], rounds: Int = 10_000,
    seed: UInt64 = 1
  ) -> VeilResult {
    let features = VeilFeatures(seen)
    var samples: [Sample: [[String: Double]]] = [:]
    for stretch in stretches {
      for (number, window) in windows(of: stretch, window).enumerated() {
        let values = features.values(window)
        let isEdge = number == 0 && stretch.isEdge
        if isEdge { samples[.edge, default: []].append(values) }
        // Just after a veil it is live, but not as it was before.
        if !isEdge || stretch.kind == .veiled { samples[Sample(stretch.kind), default: []].append(values) }
      }
    }
    let names = Set(samples.values.flatMap { $0.flatMap(\.keys) }).sorted()
    func values(_ name: String, _ sample: Sample) -> [Double] { (samples[sample] ?? []).compactMap { $0[name] } }
    func test(_ name: String, _ sample: Sample) -> RankTest? {
      let live = sample == .control ? values(name, .live) : values(name, .live) + values(name, .control)
      return RankTest(live, values(name, sample), rounds: rounds, seed: seed)
    }
    var rows = names.map { name in
      (name, test(name, .control), test(name, .veiled), test(name, .edge))
    }
    if !sent.isEmpty {
      func late(_ kinds: [VeilStretch.Kind]) -> RankTest? {
        let found = VeilFeatures.lateness(seen, hiding: sent, within: stretches.filter { kinds.contains($0.kind) })
        return RankTest(found.without, found.with, rounds: rounds, seed: seed)
      }
      // Live, each still shows anyway.
      rows.append(("lateness of the parts that hide a still", nil, late([.veiled]), nil))
    }
    let limit = 0.05 / Double(max(1, rows.count))
    func tells(_ test: RankTest?, than control: RankTest?) -> Bool {
      guard let test else { return false }
      return test.probability < limit && test.leastDistance > (control?.distance ?? 0)
    }
    let judged = rows.map { name, control, veiled, edge in
      Row(
        feature: name, control: control, veiled: veiled, edge: edge,
        tells: tells(veiled, than: control) || tells(edge, than: control))
    }
    return VeilResult(
      window: window, windows: Dictionary(uniqueKeysWithValues: samples.map { ($0.key.rawValue, $0.value.count) }),
      rows: judged.sorted {
        let (left, right) = ($0.veiled?.distance ?? 0, $1.veiled?.distance ?? 0)
        return ($0.tells ? 1 : 0, left, $1.feature) > ($1.tells ? 1 : 0, right, $0.feature)
      })
  }

  private enum Sample: String {
    case live, control, veiled, edge

    init(_ kind: VeilStretch.Kind) {
      switch kind {
      case .live: self = .live
      case .control: self = .control
      case .veiled: self = .veiled
      }
    }
  }

  /// The whole windows in a stretch.
  static func windows(of stretch: VeilStretch, _ length: Int64) -> [Range<Int64>] {
    guard length > 0 else { return [] }
    return stride(from: stretch.begin, through: stretch.end - length, by: Int64.Stride(length)).map { $0..<$0 + length }
  }
}

extension VeilResult: CustomStringConvertible {
  /// The table for a terminal.
  package var description: String {
    var lines = [["feature", "live/live", "live/veiled", "live/edge", "by chance", ""]]
    let constant = rows.filter(\.isConstant).map(\.feature)
    for row in rows where !row.isConstant {
      let chance = [row.veiled, row.edge].compactMap { $0?.probability }.min()
      lines.append([
        row.feature, cell(row.control), cell(row.veiled), cell(row.edge),
        chance.map { String(format: "%.4f", $0) } ?? "-", row.tells ? "TELLS" : "",
      ])
    }
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let counts = ["live", "control", "veiled", "edge"].map { "\(windows[$0] ?? 0) \($0)" }.joined(separator: ", ")
    var text = "AUC with its 95 % interval over windows of \(Double(window) / 1_000_000) s: \(counts)\n"
    for line in lines {
      text += zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      text += "\n"
    }
    if !constant.isEmpty { text += "The same in all windows: \(constant.joined(separator: ", ")).\n" }
    if telling.isEmpty {
      text += "Nothing tells the veil from the camera better than chance does."
    } else {
      text += "\(telling.count) of \(rows.count) features tell: \(telling.map(\.feature).joined(separator: "; "))."
    }
    let noisy = rows.filter { ($0.control?.probability ?? 1) < 0.05 / Double(rows.count) }
    if !noisy.isEmpty {
      text +=
        "\nLive stretches differ from each other too (\(noisy.map(\.feature).joined(separator: "; "))): the camera or "
      text += "the machine changed while it ran; run it again, longer."
    }
    return text
  }

  private func cell(_ test: RankTest?) -> String {
    guard let test else { return "-" }
    return String(format: "%.2f (%.2f..%.2f)", test.auc, test.interval[0], test.interval[1])
  }
}
