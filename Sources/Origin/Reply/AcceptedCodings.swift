/// Which content codings a client accepts, of those that texts are sent in (RFC 9110, section 12.5.3).
struct AcceptedCodings: Hashable {
  /// The weights in thousandths; 0 is not accepted. Brotli counts only by its name: who knows it says so, while `*` comes
  /// from programs that know only gzip.
  private(set) var (gzip, brotli) = (0, 0)
  /// The weight of `dcz`: Zstandard with a dictionary that the client names (RFC 9842, section 5).
  private(set) var dictionary = 0
  /// Whether the client may keep a text as a dictionary. Browsers that do know Zstandard, and do not ask for it where an
  /// address is not secure.
  private(set) var keepsDictionaries = false
  /// The weight of the plain text. Where it is not mentioned, everything that is accepted is preferred to it.
  private(set) var identity = 1

  /// Reads the value of Accept-Encoding. Where a coding stands twice, the first counts.
  ///
  /// - Parameter header: `nil` if there is no such field; then only the plain text is accepted.
  init(_ header: String?) {
    guard let header else { return }
    var weights: [String: Int] = [:]
    for item in header.utf8.split(separator: UInt8(ascii: ",")) {
      let pieces = item.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
      let name = pieces.first.map(Self.word) ?? ""
      guard !name.isEmpty, weights[name] == nil else { continue }
      weights[name] = pieces.dropFirst().lazy.compactMap { Self.weight(Self.word($0)) }.first ?? 1000
    }
    gzip = weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0
    brotli = weights["br"] ?? 0
    dictionary = weights["dcz"] ?? 0
    keepsDictionaries = dictionary > 0 || weights["zstd"] ?? 0 > 0
    identity = weights["identity"] ?? 1
  }

  /// Without spaces, and in small letters: names of codings and parameters have no case (RFC 9110, section 5.6.6).
  private static func word(_ bytes: Substring.UTF8View) -> String {
    String(Substring(bytes).unicodeScalars.filter { $0 != " " && $0 != "\t" }.map(Character.init)).lowercased()
  }

  /// The thousandths of a parameter `q=…`; `nil` for other parameters. What is no weight is 1: the coding was named.
  private static func weight(_ parameter: String) -> Int? {
    guard parameter.hasPrefix("q=") else { return nil }
    let digits = parameter.utf8.dropFirst(2)
    guard digits.first == UInt8(ascii: "0"), digits.dropFirst().first.map({ $0 == UInt8(ascii: ".") }) ?? true else {
      return 1000
    }
    let fraction = digits.dropFirst(2)
    guard fraction.allSatisfy({ (48...57).contains($0) }) else { return 1000 }
    let thousandths = fraction.prefix(3).reduce(0) { $0 * 10 + Int($1 - 48) }
    // More than three decimals are not allowed, and a weight that is not zero stays one.
    let scale = [100, 10, 1][max(0, min(fraction.count, 3) - 1)]
    return max(thousandths * scale, fraction.contains { $0 != 48 } ? 1 : 0)
  }
}
