/// The key that a misspelt key probably means.
enum NearestKey {
  /// The nearest of `keys` by the number of letters to insert, remove, change or swap; `nil` if none is near.
  static func of(_ written: String, among keys: some Sequence<String>) -> String? {
    // Longer than any misspelt key.
    guard written.utf8.count <= 48 else { return nil }
    let bytes = Array(written.lowercased().replacing("_", with: "-").utf8)
    let nearest = keys.map { (key: $0, distance: distance(bytes, Array($0.utf8))) }
      .min { ($0.distance, $0.key) < ($1.distance, $1.key) }
    guard let nearest, nearest.distance <= max(2, written.utf8.count / 2), nearest.distance < nearest.key.utf8.count
    else { return nil }
    return nearest.key
  }

  /// The optimal string alignment distance of two texts.
  private static func distance(_ from: [UInt8], _ to: [UInt8]) -> Int {
    var before: [Int] = []
    var row = Array(0...to.count)
    for i in from.indices {
      var next = [i + 1]
      for j in to.indices {
        var cost = min(row[j] + (from[i] == to[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, from[i] == to[j - 1], from[i - 1] == to[j] { cost = min(cost, before[j - 1] + 1) }
        next.append(cost)
      }
      (before, row) = (row, next)
    }
    return row[to.count]
  }
}
