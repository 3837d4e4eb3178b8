extension DeliveryRules {
  /// The fields of a client that has a dictionary of which no server knows: 32 bytes of zero are no digest of a text.
  static let unknownDictionary = [
    ("Accept-Encoding", "gzip, br, zstd, dcb, dcz"),
    ("Available-Dictionary", ":AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"),
  ]

  /// The answer to a client with `unknownDictionary` (RFC 9842, sections 2 and 6).
  static func dictionaries(_ exchange: Exchange) -> Verdicts {
    var verdicts = Verdicts()
    guard exchange.status == 200 else { return verdicts }
    verdicts.judge(.compression)
    func find(_ message: String, _ severity: Rule.Severity, section: String) {
      verdicts.add(Finding(.compression, message, url: exchange.url, severity: severity, section: section))
    }
    if let coding = exchange.headers["content-encoding"], ["dcb", "dcz"].contains(coding.lowercased()) {
      find(
        "a playlist was sent as \(coding) to a client that has another dictionary; a cache on the way does not heed Vary",
        .must, section: "RFC 9842, 2.2")
    }
    let vary = exchange.headers["vary"]?.lowercased() ?? ""
    if exchange.headers["use-as-dictionary"] != nil, vary != "*", !vary.contains("available-dictionary") {
      find(
        "a playlist that is a dictionary for the next lacks Vary: Available-Dictionary, so caches mix up its forms",
        .should, section: "RFC 9842, 6.2")
    }
    return verdicts
  }
}
