import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1

/// One request and its answer, with the times of both on the check's clock.
struct Exchange: Sendable {
  /// The address after all redirects.
  var url: String
  /// 0 if no answer came.
  var status = 0
  /// By lower-case names; several fields of one name are joined.
  var headers: [String: String] = [:]
  /// Decompressed.
  var body: [UInt8] = []
  /// When the request was sent.
  var asked: Ticks
  /// When the head of the answer had arrived.
  var answered: Ticks
  /// When the first byte of the body had arrived.
  var firstByte: Ticks
  /// When everything had arrived.
  var done: Ticks
  /// When so many bytes of the body were there, piece by piece.
  var progress: [(time: Ticks, count: Int)] = []
  /// Why no answer came or why it was cut off.
  var failure: String?

  /// Whether the whole resource or the requested range came.
  var isGood: Bool { failure == nil && (status == 200 || status == 206) }

  /// The directives of Cache-Control by their lower-case names.
  var caching: [String: String] {
    var result: [String: String] = [:]
    for directive in (headers["cache-control"] ?? "").lowercased().split(separator: ",") {
      let pieces = directive.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\"" } }
      if let name = pieces.first { result[name] = pieces.count > 1 ? pieces[1] : "" }
    }
    return result
  }

  /// For how many seconds a cache can keep the answer; 0 if it must not, `nil` if the answer does not say.
  var maxAge: Int? {
    let caching = caching
    if caching["no-store"] != nil || caching["no-cache"] != nil { return 0 }
    return (caching["s-maxage"] ?? caching["max-age"]).flatMap { Int($0) }
  }

  /// How old a cache says that the answer is: a day at most.
  var age: Ticks { .seconds(min(max(0, Int64(headers["age"] ?? "") ?? 0), 86_400)) }

  /// The media type without its parameters.
  var type: String {
    (headers["content-type"] ?? "").lowercased().split(separator: ";").first.map { $0.filter { $0 != " " } } ?? ""
  }

  /// The address that a link of this relation leads to (RFC 8288, section 3); `nil` where there is none.
  func link(_ relation: String) -> String? {
    for link in (headers["link"] ?? "").split(separator: ",") {
      let pieces = link.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard let target = pieces.first, target.first == "<", target.last == ">" else { continue }
      let relations = pieces.dropFirst().first { $0.lowercased().hasPrefix("rel=") }?.dropFirst(4)
      guard let relations, relations.filter({ $0 != "\"" }) == relation else { continue }
      return PlaylistAddress.resolve(String(target.dropFirst().dropLast()), from: url)
    }
    return nil
  }

  /// When so many bytes of the body were there; `nil` where there were never as many.
  func arrival(of count: Int) -> Ticks? { progress.first { $0.count >= count }?.time }

  /// The result, for messages.
  var outcome: String { failure.map { "no whole answer (\($0))" } ?? "\(status)" }
}

/// Makes requests: bounded in time and size, never throwing, always with a time stamp.
struct Fetcher: Sendable {
  private let client: HTTPClient
  private let epoch = ContinuousClock.now

  /// The largest body that is read.
  static let largestBody = 64 << 20

  init() {
    // Of all settings, decompression has a type that only the client itself can name.
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.redirectConfiguration = .follow(max: 5, allowCycles: false)
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(60))
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func close() async { try? await client.shutdown() }

  /// The time since the check started.
  var now: Ticks { Ticks(ContinuousClock.now - epoch) }

  func sleep(until time: Ticks) async throws {
    try await ContinuousClock().sleep(until: epoch + time.duration)
  }

  /// Makes one request, and a second one without gzip if the answer expands too much.
  func fetch(
    _ url: String, method: HTTPMethod = .GET, headers: [(String, String)] = [], timeout: Ticks = .seconds(20)
  ) async -> Exchange {
    let exchange = await execute(url, method: method, headers: headers, timeout: timeout)
    guard exchange.failure != nil, exchange.headers["content-encoding"] != nil, !Task.isCancelled else {
      return exchange
    }
    let plain = headers.filter { $0.0 != "Accept-Encoding" }
    return await execute(url, method: method, headers: plain, timeout: timeout)
  }

  private func execute(
    _ url: String, method: HTTPMethod, headers: [(String, String)], timeout: Ticks
  ) async -> Exchange {
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers.add(name: "User-Agent", value: "quietcam-check")
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    let asked = now
    var exchange = Exchange(url: url, asked: asked, answered: asked, firstByte: asked, done: asked)
    do {
      let response = try await client.execute(request, timeout: .milliseconds(max(1, timeout.milliseconds)))
      exchange.answered = now
      exchange.firstByte = exchange.answered
      exchange.status = Int(response.status.code)
      exchange.url = response.url?.absoluteString ?? url
      for (name, value) in response.headers {
        let name = name.lowercased()
        exchange.headers[name] = exchange.headers[name].map { "\($0), \(value)" } ?? value
      }
      var isFirst = true
      for try await piece in response.body {
        if isFirst { exchange.firstByte = now }
        isFirst = false
        guard exchange.body.count + piece.readableBytes <= Self.largestBody else {
          exchange.failure = "more than \(Self.largestBody >> 20) MiB; the check reads no more"
          break
        }
        exchange.body += piece.readableBytesView
        exchange.progress.append((now, exchange.body.count))
      }
    } catch {
      exchange.failure = String(describing: error)
    }
    exchange.done = now
    return exchange
  }
}

/// Addresses (RFC 3986).
enum PlaylistAddress {
  /// A reference in a playlist, made absolute.
  static func resolve(_ reference: String, from base: String) -> String {
    guard let base = URL(string: base), let url = URL(string: reference, relativeTo: base) else { return reference }
    return url.absoluteURL.absoluteString
  }

  /// The address with delivery directives, in alphabetical order, so that caches see one address.
  static func adding(_ query: String, to url: String) -> String {
    guard !query.isEmpty else { return url }
    let whole = url.split(separator: "#", maxSplits: 1).first.map(String.init) ?? url
    return whole + (whole.contains("?") ? "&" : "?") + query
  }

  /// The same address with a name that does not exist: the last number in it is made much larger.
  static func unannounced(_ url: String) -> String {
    let path = url.prefix { $0 != "?" && $0 != "#" }
    let start = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let name = path[start...]
    let dot = name.lastIndex(of: ".") ?? name.endIndex
    // The digits of a file type, as in .mp4, are no number.
    guard let last = name[..<dot].lastIndex(where: { ("0"..."9").contains($0) }) else {
      return url[..<start] + "never-" + name + url[path.endIndex...]
    }
    return url[...last] + "7777" + url[url.index(after: last)...]
  }
}
