import Media
import Playlist

extension Follower {
  /// Fetches each segment once, in order.
  func fetchSegments() async {
    var maps: Set<String> = []
    for await job in harvest.segments where !isOverdue {
      await fetchMap(of: job, &maps)
      await fetch(job)
    }
  }

  /// Fetches each part once, in order.
  func fetchParts() async {
    var maps: Set<String> = []
    for await job in harvest.parts where !isOverdue {
      await fetchMap(of: job, &maps)
      await fetch(job)
    }
  }

  /// Whether everything in the queue when the time ends had its chance.
  private var isOverdue: Bool { isOver && fetcher.now > deadline + .seconds(3) }

  private func fetchMap(of job: Harvest.Job, _ known: inout Set<String>) async {
    guard let map = job.map, let key = job.mapURL, known.insert(key).inserted else { return }
    let url = PlaylistAddress.resolve(map.uri, from: mediaURL)
    let exchange = await get(url, headers: map.byteRange.map { [("Range", $0.header)] } ?? [])
    verdicts.judge(.fetchable)
    guard exchange.isGood else {
      find(.fetchable, "the init segment was answered with \(exchange.outcome)", url)
      return
    }
    if isSample("init") { merge(DeliveryRules.media(exchange, .mp4, window: window)) }
    if harvest.isEncrypted != true {
      merge(probe.takeInit(Self.piece(map.byteRange, of: exchange), url: key))
    }
  }

  private func fetch(_ job: Harvest.Job) async {
    let piece = job.piece
    let exchange = await get(piece.url, headers: job.range.map { [("Range", $0.header)] } ?? [])
    verdicts.judge(.fetchable)
    guard exchange.isGood else { return await judgeFailure(exchange, job) }
    if piece.isSegment { counts.segments += 1 } else { counts.parts += 1 }
    let body = Self.piece(job.range, of: exchange)
    judgeName(job, body)
    if let range = job.range, body.count != range.length {
      find(
        .fetchable, "the byte range \(range.header) was answered with \(body.count) bytes", piece.url,
        place: piece.key)
    }
    if isSample(piece.isSegment ? "segment" : "part") {
      let format: DeliveryRules.Format =
        job.map != nil ? .mp4 : TransportStream.isLikely(body) ? .transportStream : .unknown
      merge(DeliveryRules.media(exchange, format, window: window))
    }
    if harvest.isEncrypted != true { merge(probe.take(piece, body)) }
  }

  /// A name must stand for the same bytes for ever, or caches return the wrong ones.
  private func judgeName(_ job: Harvest.Job, _ body: [UInt8]) {
    guard job.range == nil else { return }
    let content = body.hashValue
    if let known = contents[job.piece.url], known != content {
      find(
        .mediaCaching, "it has other bytes than before under the same name", job.piece.url, place: job.piece.key,
        severity: .must)
    } else if contents.count < 20_000 {
      contents[job.piece.url] = content
    }
  }

  /// A failed request counts only if the resource had to be available: its time is not over, or a playlist that was
  /// requested later still lists it. A check that came too late has found nothing.
  private func judgeFailure(_ exchange: Exchange, _ job: Harvest.Job) async {
    let name = job.piece.isSegment ? "a segment" : "a part"
    let playlist = await getPlaylist()
    if playlist.failure == nil { await take(playlist, isDirected: false) }
    let isListed =
      history.newest.map { newest in
        newest.segments.contains { $0.uri == job.uri || $0.parts.contains { $0.uri == job.uri } }
          || newest.trailingParts.contains { $0.uri == job.uri }
      } ?? false
    let isDue = job.until.map { exchange.done < $0 } ?? false
    guard isListed || isDue else { return }
    find(
      isListed ? .fetchable : .availability,
      "\(name) was answered with \(exchange.outcome) although "
        + (isListed ? "the playlist lists it" : "its time is not up"),
      job.piece.url, place: job.piece.key)
  }

  private var window: Ticks { history.newest?.total ?? .zero }

  /// The wanted range, also if the server sent the whole resource.
  private static func piece(_ range: MediaPlaylist.ByteRange?, of exchange: Exchange) -> [UInt8] {
    guard let range, exchange.status == 200 else { return exchange.body }
    return Array(exchange.body.dropFirst(range.offset ?? 0).prefix(range.length))
  }

  // MARK: H6

  /// Requests what left the playlist, shortly before its time is over.
  func checkAvailability() async {
    while !isOver, (try? await fetcher.sleep(until: fetcher.now + .milliseconds(100))) != nil {
      let now = fetcher.now
      let soon = now + .milliseconds(400)
      let due = harvest.departures.filter { $0.until <= soon }
      harvest.departures.removeAll { $0.until <= soon }
      // A segment that is still listed needs no such check.
      for departure in due.prefix(4) where departure.until > now && !isListed(departure.key) {
        let exchange = await get(departure.url, headers: [("Range", "bytes=0-0")], timeout: .seconds(5))
        guard exchange.done <= departure.until else { continue }
        verdicts.judge(.availability)
        if ![200, 206].contains(exchange.status) {
          find(
            .availability, "it left the playlist and was answered with \(exchange.outcome) before its time was up",
            departure.url, place: departure.key)
        }
      }
    }
  }

  private func isListed(_ key: String) -> Bool {
    guard let newest = history.newest, let number = Int(key) else { return false }
    return newest.segment(number) != nil
  }

  // MARK: L6

  /// Requests hinted parts at once and watches how they arrive.
  func fetchHints() async {
    var trickles = 0
    for await hint in harvest.hints {
      let target = Ticks.seconds(Int64(3 * (history.newest?.targetDuration ?? 6)))
      let url = PlaylistAddress.resolve(hint.uri, from: mediaURL)
      let headers = hint.byteRangeStart > 0 || hint.byteRangeLength != nil ? [("Range", hint.header)] : []
      let early = await get(url, headers: headers, timeout: min(target, timeLeft) + .seconds(2))
      guard !isOver, timeLeft > .zero else { return }
      verdicts.judge(.preloadHint)
      guard early.isGood else {
        if early.status == 404, await neverComes(hint) { continue }
        if early.status != 503 || early.answered - early.asked < target {
          let rule = early.status == 0 ? Rule.fetchable : .preloadHint
          find(rule, "the hinted part was answered with \(early.outcome)", url)
        }
        continue
      }
      let late = await get(url, headers: headers)
      if late.isGood, late.body != early.body {
        find(
          .preloadHint,
          "the hinted part had \(early.body.count) bytes when it was asked for early and \(late.body.count) later",
          url)
      }
      // One slow transfer may be the check's own delay; two in a row are the server's.
      let isTrickle = early.done - early.firstByte > (late.done - late.firstByte) * 4 + .milliseconds(500)
      trickles = isTrickle ? trickles + 1 : 0
      if trickles == 2 {
        find(
          .preloadHint,
          "the hinted part began to come \(early.done - early.firstByte) before its end; no byte may be sent "
            + "before all of it can be", url)
      }
      // Every third hint is enough.
      try? await fetcher.sleep(until: min(deadline, fetcher.now + (history.newest?.partTarget ?? .zero) * 2))
    }
  }

  /// Whether a hinted part is not hinted any more and is not listed either: a segment may end before it.
  private func neverComes(_ hint: MediaPlaylist.PreloadHint) async -> Bool {
    // The version that no longer hints it may still be on its way.
    for _ in 0..<20 {
      if let newest = history.newest, newest.preloadHint?.uri != hint.uri {
        return !(newest.segments.flatMap(\.parts) + newest.trailingParts).contains { $0.uri == hint.uri }
      }
      try? await fetcher.sleep(until: min(deadline, fetcher.now + .milliseconds(100)))
    }
    return false
  }
}

extension MediaPlaylist.PreloadHint {
  /// The value of a Range header.
  var header: String {
    let end = byteRangeLength.map { "\(byteRangeStart.addingReportingOverflow(max(0, $0 - 1)).partialValue)" } ?? ""
    return "bytes=\(byteRangeStart)-\(end)"
  }
}
