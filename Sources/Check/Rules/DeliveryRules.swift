import Media

/// Checks answers against the delivery rules: pure, one answer at a time.
enum DeliveryRules {
  /// How a playlist was requested.
  enum Kind: Sendable { case multivariant, plain, directives }

  /// A playlist: D1, D3, D5.
  ///
  /// - Parameters:
  ///   - targetDuration: in seconds; 0 for a multivariant playlist.
  ///   - partTarget: if there are parts.
  static func playlist(
    _ exchange: Exchange, _ kind: Kind, targetDuration: Int = 0, partTarget: Ticks? = nil
  ) -> Verdicts {
    var verdicts = Verdicts()
    guard exchange.status == 200 else { return verdicts }
    verdicts.judge(.types, .playlistCaching, .access)
    func find(_ rule: Rule, _ message: String, _ severity: Rule.Severity? = nil, section: String? = nil) {
      verdicts.add(Finding(rule, message, url: exchange.url, severity: severity, section: section))
    }
    if !["application/vnd.apple.mpegurl", "audio/mpegurl"].contains(exchange.type) {
      let path = exchange.url.prefix { $0 != "?" }
      let isNamed = path.hasSuffix(".m3u8") || path.hasSuffix(".m3u")
      find(
        .types, "a playlist has the type \"\(exchange.type)\"; it should be application/vnd.apple.mpegurl",
        isNamed ? .should : .must, section: "4")
    }
    cors(exchange, "playlists", &verdicts)
    let maxAge = exchange.maxAge
    switch kind {
    case .multivariant: break
    case .directives:
      if maxAge.map({ $0 == 0 }) ?? true {
        find(
          .playlistCaching,
          "a playlist asked for with directives is the same for every viewer, but no cache may keep it: "
            + "Cache-Control is \"\(exchange.headers["cache-control"] ?? "")\"", section: "6.2.5.2")
      }
    case .plain:
      let limit = partTarget.map { max(1, $0.count / Ticks.perSecond) } ?? max(1, Int64(targetDuration) / 2)
      if let maxAge {
        if Int64(maxAge) > limit {
          find(.playlistCaching, "a plain playlist may be kept for \(maxAge) s; at most \(limit) s are right")
        }
      } else {
        find(
          .playlistCaching,
          "a plain playlist does not say how long it may be kept; send a max-age of at most \(limit) s"
        )
      }
      if exchange.headers["etag"] == nil, exchange.headers["last-modified"] == nil {
        find(.playlistCaching, "a playlist has neither ETag nor Last-Modified, so it can never be answered with 304")
      }
    }
    return verdicts
  }

  /// The kind of a resource.
  enum Format: Sendable { case mp4, transportStream, unknown }

  /// A segment, part or init segment: D1, D2, D5.
  static func media(_ exchange: Exchange, _ format: Format, window: Ticks) -> Verdicts {
    var verdicts = Verdicts()
    guard exchange.isGood else { return verdicts }
    verdicts.judge(.mediaCaching, .access)
    let types: [String] =
      switch format {
      case .mp4: ["video/mp4", "audio/mp4", "video/iso.segment", "audio/iso.segment"]
      case .transportStream: ["video/mp2t"]
      case .unknown: []
      }
    if !types.isEmpty {
      verdicts.judge(.types)
      if !types.contains(exchange.type) {
        verdicts.add(
          Finding(
            .types, "media have the type \"\(exchange.type)\"; it should be \(types[0])", url: exchange.url,
            section: "10"))
      }
    }
    cors(exchange, "media", &verdicts)
    let seconds = max(1, window.count / Ticks.perSecond)
    if exchange.maxAge.map({ Int64($0) < seconds }) ?? true {
      verdicts.add(
        Finding(
          .mediaCaching,
          "media may not be kept for as long as they are listed (\(seconds) s): Cache-Control is "
            + "\"\(exchange.headers["cache-control"] ?? "")\"; best is public, max-age=31536000, immutable",
          url: exchange.url))
    }
    return verdicts
  }

  private static func cors(_ exchange: Exchange, _ what: String, _ verdicts: inout Verdicts) {
    guard exchange.headers["access-control-allow-origin"] == nil else { return }
    verdicts.add(
      Finding(
        .access, "\(what) come without Access-Control-Allow-Origin: no page of another site can play them in hls.js",
        url: exchange.url, section: "Fetch 3.2"))
  }

  // MARK: Gzip

  /// The answers to a request that accepts gzip, and to one that accepts only identity: D4.
  static func compression(accepting: Exchange, refusing: Exchange) -> Verdicts {
    var verdicts = Verdicts()
    guard accepting.status == 200, refusing.status == 200 else { return verdicts }
    verdicts.judge(.compression)
    let isGzipped = accepting.headers["content-encoding"]?.contains("gzip") == true
    func find(_ message: String, _ url: String, _ severity: Rule.Severity = .should, section: String? = nil) {
      verdicts.add(Finding(.compression, message, url: url, severity: severity, section: section))
    }
    if !isGzipped { find("a playlist is not gzipped for a client that accepts gzip", accepting.url) }
    if isGzipped, accepting.headers["vary"]?.lowercased().contains("accept-encoding") != true,
      accepting.headers["vary"] != "*"
    {
      find("a gzipped playlist lacks Vary: Accept-Encoding", accepting.url, .must, section: "RFC 9110, 12.5.5")
    }
    if let coding = refusing.headers["content-encoding"], coding != "identity" {
      find("the coding \(coding) was sent to a client that accepts only identity", refusing.url, .must)
    }
    return verdicts
  }

  // MARK: Ranges and conditions

  /// The requests for one media resource whose bytes are known.
  struct Accesses: Sendable {
    var whole: Exchange
    var head: Exchange
    var first: Exchange
    var suffix: Exchange
    var past: Exchange
    /// With the resource's ETag; `nil` if it has none.
    var matching: Exchange?
    var matchingAny: Exchange?
  }

  /// HEAD, Range and If-None-Match: D5.
  static func access(_ probes: Accesses) -> Verdicts {
    var verdicts = Verdicts()
    let body = probes.whole.body
    guard probes.whole.status == 200, !body.isEmpty else { return verdicts }
    verdicts.judge(.access)
    func find(_ message: String, _ severity: Rule.Severity = .should, _ section: String) {
      verdicts.add(Finding(.access, message, url: probes.whole.url, severity: severity, section: section))
    }
    if probes.head.status != 200 {
      find("HEAD was answered with \(probes.head.outcome) where GET gives 200", .should, "RFC 9110, 9.3.2")
    } else if let length = probes.head.headers["content-length"], length != "\(body.count)" {
      find("HEAD says Content-Length \(length), GET sends \(body.count) bytes", .must, "RFC 9110, 8.6")
    }
    range(probes.first, "bytes=0-0", Array(body.prefix(1)), find)
    range(probes.suffix, "bytes=-5", Array(body.suffix(5)), find)
    if ![416, 200].contains(probes.past.status) {
      find("a Range past the end was answered with \(probes.past.outcome), not 416", .should, "RFC 9110, 14.1.2")
    }
    for (exchange, text) in [(probes.matching, "its own ETag in a list"), (probes.matchingAny, "*")] {
      if let exchange, exchange.status != 304 {
        find("If-None-Match with \(text) was answered with \(exchange.outcome), not 304", .should, "RFC 9110, 13.1.2")
      }
    }
    return verdicts
  }

  private static func range(
    _ exchange: Exchange, _ range: String, _ expected: [UInt8], _ find: (String, Rule.Severity, String) -> Void
  ) {
    if exchange.status == 206, exchange.body != expected {
      find("Range: \(range) was answered with other bytes than asked for", .must, "RFC 9110, 14.2")
    } else if exchange.status != 206 {
      find("Range: \(range) was answered with \(exchange.outcome), not 206", .should, "RFC 9110, 14.2")
    }
  }

  // MARK: Refusals

  /// The answer to a request that must be refused: L4, D3.
  static func refusal(_ exchange: Exchange, of what: String, expected: Int, rule: Rule, section: String) -> Verdicts {
    var verdicts = Verdicts()
    verdicts.judge(rule)
    if exchange.status != expected {
      verdicts.add(
        Finding(
          rule, "\(what) was answered with \(exchange.outcome), not \(expected)", url: exchange.url, severity: .should,
          section: section))
    } else if exchange.maxAge.map({ $0 > 0 }) ?? false {
      verdicts.add(
        Finding(
          rule, "\(what) was answered with an error that caches may keep for \(exchange.maxAge ?? 0) s; send no-store",
          url: exchange.url, severity: .should, section: "RFC 9111, 5.2.2.5"))
    } else if exchange.maxAge == nil {
      verdicts.add(
        Finding(
          rule, "\(what) was answered with an error without Cache-Control; send no-store", url: exchange.url,
          severity: .should, section: "RFC 9111, 5.2.2.5"))
    }
    return verdicts
  }
}
