import Media
import NIOHTTP1
import Playlist

extension Follower {
  /// Everything that is requested once: gzip, ranges, conditions, and what must be refused.
  func probeOnce() async {
    try? await fetcher.sleep(until: min(deadline, fetcher.now + .seconds(1)))
    guard let playlist = history.newest else { return }
    await probeCompression()
    await probeAccess(playlist)
    if playlist.serverControl?.canBlockReload == true {
      await probeRefusals(playlist)
      await probeStale(playlist)
      await probeOverflowingPart(playlist)
    }
  }

  private func probeCompression() async {
    let accepting = await get(mediaURL, headers: Self.gzip)
    let refusing = await get(mediaURL, headers: [("Accept-Encoding", "identity;q=1, *;q=0")])
    merge(DeliveryRules.compression(accepting: accepting, refusing: refusing))
    for exchange in [accepting, refusing] where exchange.status == 200 { await take(exchange, isDirected: false) }
    merge(DeliveryRules.dictionaries(await get(mediaURL, headers: DeliveryRules.unknownDictionary)))
    guard let etag = accepting.headers["etag"] else { return }
    let again = await get(mediaURL, headers: Self.gzip + [("If-None-Match", etag)])
    verdicts.judge(.playlistCaching)
    if again.status == 200, again.headers["etag"] == etag {
      find(.playlistCaching, "If-None-Match with the playlist's ETag was answered with 200, not 304", mediaURL)
    }
  }

  private func probeAccess(_ playlist: MediaPlaylist) async {
    guard let uri = playlist.segments.last?.map?.uri ?? playlist.segments.last?.uri,
      playlist.segments.last?.byteRange == nil
    else { return }
    let url = PlaylistAddress.resolve(uri, from: mediaURL)
    let whole = await get(url)
    guard whole.status == 200, whole.failure == nil else { return }
    func ask(_ headers: [(String, String)], _ method: HTTPMethod = .GET) async -> Exchange {
      counts.requests += 1
      return await fetcher.fetch(url, method: method, headers: headers)
    }
    let etag = whole.headers["etag"]
    let probes = DeliveryRules.Accesses(
      whole: whole, head: await ask([], .HEAD), first: await ask([("Range", "bytes=0-0")]),
      suffix: await ask([("Range", "bytes=-5")]), past: await ask([("Range", "bytes=\(whole.body.count)-")]),
      matching: etag == nil ? nil : await ask([("If-None-Match", "\"other\", \(etag ?? "")")]),
      matchingAny: etag == nil ? nil : await ask([("If-None-Match", "*")]))
    // The segment may have left in between.
    guard await get(url).status == 200 else { return }
    merge(DeliveryRules.access(probes))
    let missing = await get(PlaylistAddress.unannounced(url))
    merge(
      DeliveryRules.refusal(
        missing, of: "a media name that is not there", expected: 404, rule: .playlistCaching,
        section: "RFC 9110, 15.5.5"))
  }

  /// What a rendition report says must be listed there (L7).
  func probeReports(_ playlist: MediaPlaylist) async {
    for report in playlist.renditionReports.prefix(8) {
      let url = PlaylistAddress.resolve(report.uri, from: mediaURL)
      let exchange = await get(url, headers: Self.gzip)
      verdicts.judge(.renditionReport)
      guard let other = exchange.isGood ? PlaylistReading(exchange.body, url: url).playlist : nil else {
        find(.renditionReport, "the rendition of a report was answered with \(exchange.outcome)", url)
        continue
      }
      guard let reported = report.lastMediaSequence else { continue }
      let newest = other.end - (other.trailingParts.isEmpty ? 1 : 0)
      if reported > newest {
        find(
          .renditionReport, "LAST-MSN is \(reported), but the newest segment there is \(newest)", url,
          place: report.uri)
      }
    }
  }

  private func probeRefusals(_ playlist: MediaPlaylist) async {
    let queries = [
      ("_HLS_part=0", "_HLS_part without _HLS_msn"), ("_HLS_msn=one", "an _HLS_msn that is no number"),
      ("_HLS_msn=\(playlist.end + 100)", "an _HLS_msn 100 segments ahead"),
    ]
    for (query, what) in queries {
      let answer = await get(
        PlaylistAddress.adding(query, to: mediaURL), timeout: .seconds(Int64(playlist.targetDuration) + 3))
      merge(DeliveryRules.refusal(answer, of: what, expected: 400, rule: .refusal, section: "6.2.5.2"))
    }
    guard let hint = playlist.preloadHint else { return }
    let answer = await get(
      PlaylistAddress.unannounced(PlaylistAddress.resolve(hint.uri, from: mediaURL)),
      timeout: .seconds(Int64(playlist.targetDuration) + 3))
    merge(
      DeliveryRules.refusal(
        answer, of: "a part that was never hinted", expected: 404, rule: .refusal, section: "6.2.6"))
  }

  /// An old segment number gets the current playlist at once (L3).
  private func probeStale(_ playlist: MediaPlaylist) async {
    let plain = await getPlaylist()
    let query = "_HLS_msn=\(max(0, playlist.mediaSequence - 1))"
    let answer = await get(PlaylistAddress.adding(query, to: mediaURL), headers: Self.gzip)
    verdicts.judge(.blockingReload)
    guard answer.status == 200, answer.failure == nil else {
      return find(.blockingReload, "the stale \(query) was answered with \(answer.outcome)", answer.url)
    }
    if answer.answered - answer.asked > (plain.answered - plain.asked) * 4 + .seconds(1) {
      find(
        .blockingReload, "the stale \(query) was held for \(answer.answered - answer.asked)", answer.url,
        severity: .should)
    }
    await take(answer, isDirected: true)
  }

  /// A part past the last one of its segment means the first part of the next (L3).
  private func probeOverflowingPart(_ playlist: MediaPlaylist) async {
    guard let newest = history.newest, let count = newest.segments.last?.parts.count, count > 0,
      fetcher.now + .seconds(Int64(newest.targetDuration)) < deadline
    else { return }
    let query = "_HLS_msn=\(newest.end)&_HLS_part=\(count)"
    let answer = await get(
      PlaylistAddress.adding(query, to: mediaURL), headers: Self.gzip,
      timeout: min(.seconds(Int64(3 * newest.targetDuration)), timeLeft))
    guard answer.failure == nil || timeLeft > .zero else { return }
    guard let full = await take(answer, isDirected: true) else { return }
    let isThere = full.end > newest.end + 1 || (full.end == newest.end + 1 && !full.trailingParts.isEmpty)
    // The segment may have had more parts than the one before it.
    if !isThere, full.end <= newest.end, full.trailingParts.count <= count {
      find(
        .blockingReload,
        "the answer to \(query), a part past the segment's last, ends before the next segment's first part",
        answer.url)
    }
  }
}
