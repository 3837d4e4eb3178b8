import Logging
import Media
import Playlist

/// Why a stream could not be followed.
package struct FollowError: Error, Sendable, CustomStringConvertible {
  /// What was wrong, where, and what to do.
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Follows a live stream as players do and checks all of it against the rules: with plain requests, and with blocking
/// reloads, delta updates and preload hints if the stream offers them.
package actor Follower {
  let fetcher = Fetcher()
  let logger: Logger
  let deadline: Ticks
  /// The address of the media playlist, after redirects.
  var mediaURL = ""
  var multivariant: MultivariantPlaylist?
  var otherRenditions: [String] = []
  var history: PlaylistHistory
  var probe = MediaProbe()
  var verdicts = Verdicts()
  var counts = Report.Counts()
  var harvest: Harvest
  var isOver = false
  /// A hash of what came under each name.
  var contents: [String: Int] = [:]
  /// When a playlist first listed a part, by the part's address.
  var partTimes: [String: Ticks] = [:]
  /// Answers whose headers were checked, by kind; a few of each are enough.
  private var sampled: [String: Int] = [:]

  /// Follows the stream at an address.
  ///
  /// - Parameters:
  ///   - url: of a multivariant or a media playlist; the first of several variants is followed.
  ///   - duration: how long.
  /// - Returns: what held and what did not.
  /// - Throws: `FollowError` if there is no playlist to begin with.
  package static func follow(
    _ url: String, for duration: Ticks, logger: Logger = Logger(label: "check")
  ) async throws -> Report {
    let follower = Follower(duration: duration, logger: logger)
    let result: Result<Report, any Error>
    do { result = .success(try await follower.run(url)) } catch { result = .failure(error) }
    await follower.fetcher.close()
    return try result.get()
  }

  private init(duration: Ticks, logger: Logger) {
    self.logger = logger
    deadline = duration
    history = PlaylistHistory(url: "")
    harvest = Harvest()
  }

  private func run(_ url: String) async throws -> Report {
    let first = try await open(url)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.fetchSegments() }
      group.addTask { await self.fetchParts() }
      group.addTask { await self.fetchHints() }
      group.addTask { await self.followOpenSegments() }
      group.addTask { await self.checkAvailability() }
      group.addTask { await self.probeOnce() }
      await take(first, isDirected: false)
      await reload()
      isOver = true
      harvest.finish()
    }
    verdicts.merge(probe.finish())
    counts.versions = history.version
    counts.variants = multivariant?.variants.count ?? 1
    return Report(
      url: url, mediaURL: mediaURL, watched: fetcher.now, counts: counts, verdicts: verdicts,
      isLowLatency: history.newest?.partTarget != nil)
  }

  // MARK: Beginning

  /// Loads the playlist at the address, and the first variant's if there are variants.
  private func open(_ url: String) async throws -> Exchange {
    let first = await get(url, headers: [("Accept-Encoding", "gzip")])
    guard first.status == 200, first.failure == nil else {
      throw FollowError("\(url) was answered with \(first.outcome); give the address of a playlist that is there")
    }
    guard PlaylistReading.isMultivariant(first.body) else {
      return try begin(first)
    }
    verdicts.merge(DeliveryRules.playlist(first, .multivariant))
    let (playlist, found) = VariantRules.read(first.body, url: first.url)
    verdicts.merge(found)
    guard let playlist, let variant = playlist.variants.first else {
      throw FollowError("\(url) is a multivariant playlist without a variant that can be read")
    }
    multivariant = playlist
    probe = MediaProbe(variant: variant)
    let addresses = playlist.variants.map { PlaylistAddress.resolve($0.uri, from: first.url) }
    let media = await get(addresses[0], headers: [("Accept-Encoding", "gzip")])
    guard media.status == 200, media.failure == nil else {
      throw FollowError("the variant \(addresses[0]) was answered with \(media.outcome)")
    }
    otherRenditions = Array(Set(addresses).subtracting([addresses[0], media.url]).sorted())
    return try begin(media)
  }

  private func begin(_ exchange: Exchange) throws -> Exchange {
    mediaURL = exchange.url
    history = PlaylistHistory(url: mediaURL)
    guard PlaylistReading(exchange.body, url: mediaURL).playlist != nil else {
      let beginning = String(decoding: exchange.body.prefix(60), as: UTF8.self).split(separator: "\n").first ?? ""
      throw FollowError(
        "\(exchange.url) is neither a media playlist nor a multivariant one with a variant; it begins \"\(beginning)\"")
    }
    return exchange
  }

  // MARK: Reloading

  /// Reloads until the time is over or the stream has ended.
  private func reload() async {
    var round = 0
    while fetcher.now < deadline, !Task.isCancelled, let newest = history.newest, !newest.endList {
      round += 1
      if newest.serverControl?.canBlockReload == true, round % 6 != 0 {
        await reloadBlocking(newest, withSkip: newest.serverControl?.canSkipUntil != nil && round % 2 == 0)
      } else {
        await reloadPlainly(newest)
      }
    }
  }

  /// Pauses as a player without low latency does: a target duration after a change, half of one otherwise (6.3.4).
  private func reloadPlainly(_ newest: MediaPlaylist) async {
    let target = Ticks.seconds(Int64(newest.targetDuration))
    let isBlocking = newest.serverControl?.canBlockReload == true
    let wait = isBlocking ? Ticks.milliseconds(20) : harvest.lastChanged ? target : Ticks(target.count / 2)
    try? await fetcher.sleep(until: min(deadline, fetcher.now + wait))
    let exchange = await getPlaylist()
    await take(exchange, isDirected: false)
  }

  /// Requests the next part, or the next segment if there are no parts.
  private func reloadBlocking(_ newest: MediaPlaylist, withSkip: Bool) async {
    let (sequence, part) = (newest.end, newest.partTarget == nil ? nil : newest.trailingParts.count)
    var query = "_HLS_msn=\(sequence)"
    if let part { query += "&_HLS_part=\(part)" }
    if withSkip { query += "&_HLS_skip=YES" }
    let limit = Ticks.seconds(Int64(3 * newest.targetDuration))
    let address = PlaylistAddress.adding(query, to: mediaURL)
    let patience = min(limit + .seconds(5), timeLeft + .seconds(2))
    let exchange = await withTaskGroup(of: Exchange?.self) { group in
      group.addTask {
        await self.get(address, headers: Self.gzip, timeout: patience)
      }
      group.addTask {
        await self.proveLateness()
        return nil
      }
      var answer: Exchange?
      while let next = await group.next() {
        if let next {
          answer = next
          group.cancelAll()
        }
      }
      return answer
    }
    guard let exchange, exchange.failure == nil || timeLeft > .zero else { return }
    verdicts.judge(.blockingReload)
    if exchange.status == 503 {
      if exchange.answered - exchange.asked + .seconds(1) < limit {
        find(
          .blockingReload, "a blocking reload was given up after \(exchange.answered - exchange.asked)", exchange.url)
      }
      try? await fetcher.sleep(until: fetcher.now + .seconds(1))
      return
    }
    guard exchange.status == 200, exchange.failure == nil else {
      // If no answer came at all, the server is gone; that is not a fault of blocking.
      let rule = exchange.status == 0 ? Rule.fetchable : .blockingReload
      find(rule, "a blocking reload was answered with \(exchange.outcome)", exchange.url)
      try? await fetcher.sleep(until: fetcher.now + .seconds(1))
      return
    }
    guard let full = await take(exchange, isDirected: true) else { return }
    let isThere = full.end > sequence || (full.end == sequence && part.map { full.trailingParts.count > $0 } ?? false)
    if !isThere, !full.endList {
      find(
        .blockingReload,
        "the answer to \(query) ends before it: the newest segment is \(full.end - 1), with "
          + "\(full.trailingParts.count) parts after it", exchange.url)
      // A server that does not block must not be asked in a busy loop.
      try? await fetcher.sleep(until: fetcher.now + .milliseconds(500))
    }
  }

  /// Sends a plain request when the next part is overdue. Only an answer without it, requested after its time, is
  /// proof.
  private func proveLateness() async {
    guard let time = history.lateAt, (try? await fetcher.sleep(until: max(time, fetcher.now))) != nil else { return }
    let exchange = await getPlaylist()
    guard exchange.failure == nil else { return }
    await take(exchange, isDirected: false)
  }

  /// The time that is left.
  var timeLeft: Ticks { max(.zero, deadline - fetcher.now) }

  // MARK: Taking

  static let gzip = [("Accept-Encoding", "gzip")]

  func get(_ url: String, headers: [(String, String)] = [], timeout: Ticks = .seconds(20)) async -> Exchange {
    counts.requests += 1
    let exchange = await fetcher.fetch(url, headers: headers, timeout: timeout)
    counts.bytes += exchange.body.count
    return exchange
  }

  func getPlaylist() async -> Exchange { await get(mediaURL, headers: Self.gzip) }

  /// Takes a playlist as it came: reads it, checks it against the rules and passes on what it lists.
  ///
  /// - Returns: the full playlist; `nil` if it is not known.
  @discardableResult
  func take(_ exchange: Exchange, isDirected: Bool) async -> MediaPlaylist? {
    guard exchange.status == 200, exchange.failure == nil else {
      find(.fetchable, "the media playlist was answered with \(exchange.outcome)", exchange.url)
      return nil
    }
    let reading = PlaylistReading(exchange.body, url: mediaURL)
    merge(reading.verdicts)
    guard var playlist = reading.playlist else { return nil }
    if harvest.isEncrypted == nil { harvest.isEncrypted = reading.isEncrypted }
    if playlist.skipped != nil, let previous = history.newest {
      let (found, full) = PlaylistHistory.judgeDelta(playlist, previous: previous, url: exchange.url)
      merge(found)
      guard let full else { return nil }
      playlist = full
    }
    notePartTimes(playlist, at: exchange.done)
    let before = history.newest
    merge(
      history.take(playlist, asked: exchange.asked - exchange.age, arrived: exchange.done, isDirected: isDirected))
    // An earlier version lists nothing new to fetch.
    if let before, playlist.isBehind(before) { return before }
    merge(
      history.judgePromises(
        playlist, countsDiscontinuities: reading.countsDiscontinuities,
        independentElsewhere: multivariant?.independentSegments == true))
    merge(
      PlaylistHistory.judgeReports(playlist, others: otherRenditions, url: mediaURL) {
        PlaylistAddress.resolve($0, from: mediaURL)
      })
    if !playlist.renditionReports.isEmpty, isSample("report") { await probeReports(playlist) }
    if isSample("playlist \(isDirected)") {
      merge(
        DeliveryRules.playlist(
          exchange, isDirected ? .directives : .plain, targetDuration: playlist.targetDuration,
          partTarget: playlist.partTarget))
    }
    harvest.lastChanged = before != playlist
    harvest.collect(playlist, before: before, absentAt: before == nil ? nil : harvest.lastAsked, base: mediaURL)
    harvest.lastAsked = exchange.asked - exchange.age
    return playlist
  }

  /// Whether one more answer of a kind should be checked in detail.
  func isSample(_ kind: String) -> Bool {
    sampled[kind, default: 0] += 1
    return (sampled[kind] ?? 0) <= 2
  }

  func find(_ rule: Rule, _ message: String, _ url: String, place: String = "", severity: Rule.Severity? = nil) {
    verdicts.add(
      Finding(rule, message, url: url, place: place, version: history.version, time: fetcher.now, severity: severity))
  }

  /// Adds findings with the time and version at which they were made.
  func merge(_ found: Verdicts) {
    var found = found
    found.stamp(fetcher.now, version: history.version)
    verdicts.merge(found)
  }
}
