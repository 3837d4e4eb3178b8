/// Searches for the most cameras that a machine carries: twice as many as long as it does, then the middle, to a tenth.
package struct FleetSearch: Sendable {
  /// The most cameras that are tried.
  private static let most = 2000

  private var carried: Int?
  private var failed: Int?
  private let first: Int

  /// A search that begins with this many cameras.
  package init(first: Int) { self.first = min(max(1, first), Self.most) }

  /// How many cameras are tried next; `nil` once the answer is known.
  package var next: Int? {
    switch (carried, failed) {
    case (nil, nil): return first
    case (let carried?, nil): return carried < Self.most ? min(Self.most, carried * 2) : nil
    case (nil, let failed?): return failed > 1 ? max(1, failed / 2) : nil
    case (let carried?, let failed?):
      let middle = (carried + failed) / 2
      return (failed - carried) * 10 > carried && middle > carried ? middle : nil
    }
  }

  /// Notes whether so many were carried.
  package mutating func note(_ count: Int, isCarried: Bool) {
    if isCarried { carried = max(carried ?? 0, count) } else { failed = min(failed ?? .max, count) }
  }

  /// What all measurements of a search say together.
  package static func statement(_ results: [FleetResult]) -> String {
    let carried = results.filter(\.isCarried)
    guard let most = carried.max(by: { $0.cameras < $1.cameras }) else {
      return "This machine carries no camera with these settings: \(results.last?.statement ?? "nothing was measured")"
    }
    let full = carried.filter { !$0.isSteppedDown }.map(\.cameras).max()
    let whole = full.map { $0 < most.cameras ? " Up to \($0) of them at full quality." : "" } ?? ""
    return "\(most.statement)\(whole)"
  }
}
