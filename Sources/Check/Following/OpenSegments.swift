import Media
import Playlist

extension Follower {
  /// How long after a playlist lists a part it can come with the open segment; a later one was held back.
  private static let slack = Ticks.milliseconds(500)

  /// Follows segments while they are made, from link to link, if the server says with a link which comes next.
  func followOpenSegments() async {
    var lateInARow = 0
    while !isOver, timeLeft > .zero {
      guard var next = await linkOfNewestSegment() else {
        try? await fetcher.sleep(
          until: min(deadline, fetcher.now + .seconds(Int64(history.newest?.targetDuration ?? 6))))
        continue
      }
      while !isOver, timeLeft > .zero {
        let exchange = await get(next, timeout: timeLeft)
        guard exchange.status == 200 else {
          await judgeMissing(exchange)
          break
        }
        await judge(exchange, &lateInARow)
        guard exchange.failure == nil, let following = exchange.link("next") else { break }
        next = following
      }
      // A server that ends each answer at once must not be asked in a busy loop.
      try? await fetcher.sleep(until: min(deadline, fetcher.now + .milliseconds(500)))
    }
  }

  /// Notes which parts a playlist lists for the first time.
  func notePartTimes(_ playlist: MediaPlaylist, at time: Ticks) {
    guard partTimes.count < 20_000 else { return }
    for part in (playlist.segments.suffix(2).flatMap(\.parts)) + playlist.trailingParts {
      let url = PlaylistAddress.resolve(part.uri, from: mediaURL)
      if partTimes[url] == nil { partTimes[url] = time }
    }
  }

  /// Where the link of the newest complete segment leads; `nil` if it has none.
  private func linkOfNewestSegment() async -> String? {
    guard let newest = history.newest, newest.partTarget != nil, let segment = newest.segments.last else { return nil }
    let url = PlaylistAddress.resolve(segment.uri, from: mediaURL)
    let exchange = await get(url, headers: [("Range", "bytes=0-0")], timeout: min(.seconds(20), timeLeft + .seconds(1)))
    return exchange.isGood ? exchange.link("next") : nil
  }

  /// A segment in a link may never come, for example after a restart. One that comes must not have been refused.
  private func judgeMissing(_ exchange: Exchange) async {
    guard let number = await number(ofSegment: exchange.url) else { return }
    verdicts.judge(.openSegment)
    find(
      .openSegment, "the segment of a link was answered with \(exchange.outcome), and came after all",
      exchange.url, place: "segment \(number)")
  }

  /// Checks an answer against what the playlists list.
  private func judge(_ exchange: Exchange, _ lateInARow: inout Int) async {
    // An answer that ends with the time of the check is checked as far as it came.
    let isWhole = exchange.failure == nil
    guard isWhole || timeLeft == .zero else {
      if let number = await number(ofSegment: exchange.url) {
        find(
          .openSegment, "it broke off after \(exchange.body.count) bytes: \(exchange.outcome)", exchange.url,
          place: "segment \(number)")
      }
      return
    }
    guard let number = await number(ofSegment: exchange.url, isOpen: !isWhole), let newest = history.newest else {
      return
    }
    verdicts.judge(.openSegment)
    let parts = newest.parts(of: number).map { PlaylistAddress.resolve($0.uri, from: mediaURL) }
    var together: [UInt8] = []
    for (index, url) in parts.enumerated() {
      let part = await get(url)
      guard part.isGood else { return }
      together += part.body
      judgeTime(of: exchange, count: together.count, url, "part \(number).\(index)", &lateInARow)
    }
    let length = min(together.count, exchange.body.count)
    if !parts.isEmpty,
      together.prefix(length) != exchange.body.prefix(length) || isWhole && together.count != exchange.body.count
    {
      find(
        .openSegment, "it has \(exchange.body.count) bytes that are not those of its parts, \(together.count)",
        exchange.url, place: "segment \(number)")
    }
    guard isWhole else { return }
    let whole = await get(exchange.url)
    if whole.isGood, whole.body != exchange.body {
      find(
        .openSegment,
        "it had \(exchange.body.count) bytes while it was made and has \(whole.body.count) others, or other ones, now",
        exchange.url, place: "segment \(number)")
    }
    if isSample("open segment") { merge(DeliveryRules.media(exchange, .mp4, window: newest.total)) }
  }

  /// One late part may be the check's own delay; two in a row were held back.
  private func judgeTime(
    of exchange: Exchange, count: Int, _ part: String, _ place: String, _ lateInARow: inout Int
  ) {
    guard let listed = partTimes[part], let came = exchange.arrival(of: count) else { return }
    let due = max(listed, exchange.asked)
    lateInARow = came > due + Self.slack ? lateInARow + 1 : 0
    if lateInARow == 2 {
      find(
        .openSegment,
        "it came \(came - due) after the playlist listed it: a proxy holds the answer back (nginx does if it removes "
          + "`X-Accel-Buffering`, or locks its cache)", exchange.url, place: place)
    }
  }

  /// The number under which a playlist lists a segment, waiting some time for it; `nil` if none does.
  private func number(ofSegment url: String, isOpen: Bool = false) async -> Int? {
    let patience = fetcher.now + .seconds(Int64(history.newest?.targetDuration ?? 6))
    while true {
      if let newest = history.newest {
        if let index = newest.segments.lastIndex(where: { PlaylistAddress.resolve($0.uri, from: mediaURL) == url }) {
          return newest.mediaSequence + index
        }
        // A segment that is still being made has a part with the same name, in Quietcam's names.
        if isOpen { return newest.trailingParts.isEmpty ? nil : newest.end }
      }
      guard !isOver, fetcher.now < patience else { return nil }
      try? await fetcher.sleep(until: fetcher.now + .milliseconds(50))
    }
  }
}
