import Media
import Playlist

/// Reads segments and parts and checks their media against the playlists: H7, H10, H14, M1, M2.
struct MediaProbe: Sendable {
  /// A segment or part as a playlist lists it.
  struct Piece: Sendable {
    /// The name of the piece: `812`, `812.3`.
    let key: String
    /// The previous piece of the same kind, unless there is a discontinuity between.
    let follows: String?
    let url: String
    let duration: Ticks
    /// The address of the init segment.
    let map: String?
    /// Whether a player can begin here: each segment if the playlist says so, parts with INDEPENDENT=YES.
    let claimsIndependence: Bool
    let isSegment: Bool
  }

  /// Where a piece ended, to compare with where the next begins.
  private struct End: Sendable {
    /// For each track, in its timescale.
    var tracks: [UInt32: UInt64] = [:]
    /// For a transport stream.
    var stamp: UInt64?
    var parameterSets: AVCParameterSets?
  }

  /// What the multivariant playlist says about the stream.
  let variant: MultivariantPlaylist.Variant?
  private var inits: [String: [MP4Track]] = [:]
  private var ends: [String: End] = [:]
  private var order: [String] = []
  private var bytes: Int64 = 0
  private var duration = Ticks.zero
  private var verdicts = Verdicts()
  private var said: Set<String> = []

  /// A difference that no player notices, and one that every player notices.
  private static let (slight, break_) = (Ticks.milliseconds(10), Ticks.milliseconds(500))

  init(variant: MultivariantPlaylist.Variant? = nil) { self.variant = variant }

  /// Takes an init segment.
  mutating func takeInit(_ bytes: [UInt8], url: String) -> Verdicts {
    verdicts = Verdicts()
    verdicts.judge(.declaration)
    guard let tracks = FragmentedMP4.tracks(init: bytes), !tracks.isEmpty else {
      find(.declaration, "it is no init segment: there is no moov box with a track in it", url, "")
      return verdicts
    }
    inits[url] = tracks
    for track in tracks where track.handler == "vide" {
      if let sets = track.parameterSets {
        if let codec = track.codec, codec != sets.codec {
          find(.declaration, "avcC says \(codec), the parameter set in it \(sets.codec)", url, "")
        }
        if let size = track.size, size != sets.size {
          find(.declaration, "the sample entry says \(size), the parameter set \(sets.size)", url, "", .should)
        }
        compareWithVariant(sets, url: url)
      }
    }
    return verdicts
  }

  /// Takes a segment or part.
  mutating func take(_ piece: Piece, _ content: [UInt8]) -> Verdicts {
    verdicts = Verdicts()
    if piece.isSegment { measure(piece, content.count) }
    var end = End()
    if TransportStream.isLikely(content) {
      end = probe(TransportStream(content), piece)
    } else if let map = piece.map {
      guard let tracks = inits[map] else { return verdicts }
      verdicts.judge(.timing)
      guard let runs = FragmentedMP4.runs(segment: content, tracks: tracks), !runs.isEmpty else {
        find(
          .timing, "it is no run of whole movie fragments with tfhd and tfdt", piece.url, piece.key, section: "3.1.2")
        return verdicts
      }
      for run in runs { probe(run, tracks, piece, &end) }
    } else if FragmentedMP4.boxes(content[...]).boxes.contains(where: { $0.type == "moof" }) {
      find(.declaration, "it is fragmented MP4, but no EXT-X-MAP applies to it", piece.url, piece.key)
    }
    remember(end, of: piece)
    return verdicts
  }

  /// Checks the bandwidth of the whole run.
  mutating func finish() -> Verdicts {
    verdicts = Verdicts()
    guard let average = variant?.averageBandwidth, duration >= .seconds(20) else { return verdicts }
    verdicts.judge(.variant)
    let found = bytes * 8 * Ticks.perSecond / max(1, duration.count)
    if found > Self.percent(110, of: average) {
      find(
        .variant,
        "the segments have \(found) bit/s on average over \(duration), more than 110 % of AVERAGE-BANDWIDTH="
          + "\(average); the rule speaks of an hour", variant?.uri ?? "", "", .should, section: "Apple 1.28")
    }
    return verdicts
  }

  // MARK: Helpers

  /// A part of a bandwidth; a playlist can give any, and none is higher than 2^50 bits a second.
  private static func percent(_ percent: Int64, of bandwidth: Int) -> Int64 {
    min(Int64(bandwidth), 1 << 50) * percent / 100
  }

  private mutating func find(
    _ rule: Rule, _ message: String, _ url: String, _ key: String, _ severity: Rule.Severity? = nil,
    section: String? = nil
  ) {
    let place = key.isEmpty ? "" : key.contains(".") ? "part \(key)" : "segment \(key)"
    verdicts.add(Finding(rule, message, url: url, place: place, severity: severity, section: section))
  }

  private mutating func remember(_ end: End, of piece: Piece) {
    ends[piece.key] = end
    order.append(piece.key)
    if order.count > 256 { ends[order.removeFirst()] = nil }
  }

  private mutating func measure(_ piece: Piece, _ count: Int) {
    guard let variant, piece.duration > .zero else { return }
    verdicts.judge(.variant)
    bytes += Int64(count)
    duration += piece.duration
    let rate = Int64(count) * 8 * Ticks.perSecond / piece.duration.count
    if rate > Self.percent(125, of: variant.bandwidth) {
      find(
        .variant, "it has \(rate) bit/s, more than 125 % of BANDWIDTH=\(variant.bandwidth)", piece.url, piece.key,
        section: "4.4.6.2; Apple 1.29")
    }
  }

  /// Checks the parameter sets against CODECS and RESOLUTION.
  private mutating func compareWithVariant(_ sets: AVCParameterSets, url: String) {
    guard let variant, said.insert("\(sets)").inserted else { return }
    verdicts.judge(.declaration)
    let codecs = (variant.codecs ?? "").split(separator: ",").map { $0.filter { $0 != " " }.uppercased() }
    let avc = codecs.filter { $0.hasPrefix("AVC1.") || $0.hasPrefix("AVC3.") }
    if !codecs.isEmpty, !avc.contains(where: { $0.dropFirst(5) == sets.codec.uppercased().dropFirst(5) }) {
      find(.declaration, "the video is \(sets.codec), but CODECS says \(variant.codecs ?? "")", url, "")
    }
    if let size = variant.resolution, size != sets.size {
      find(
        .declaration, "the video is \(sets.size), but RESOLUTION says \(size)", url, "", .should, section: "4.4.6.2")
    }
  }

  private mutating func judgeStart(_ unit: AVC.AccessUnit?, _ piece: Piece) {
    guard let slice = unit?.firstSlice, piece.isSegment || piece.claimsIndependence else { return }
    verdicts.judge(.independence)
    if slice != AVC.idrSlice {
      let claim =
        piece.claimsIndependence
        ? ", although the playlist says that it is independent" : ""
      find(
        .independence, "it does not begin with an IDR picture\(claim)", piece.url, piece.key,
        piece.claimsIndependence ? .must : .should,
        section: piece.isSegment ? "4.4.2.1; Apple 7.4" : "4.4.4.9")
    }
  }

  /// Checks whether parameters changed without a discontinuity.
  private mutating func judgeSets(_ sets: AVCParameterSets?, _ piece: Piece, _ end: inout End) {
    end.parameterSets = sets
    guard let sets else { return }
    compareWithVariant(sets, url: piece.url)
    guard let before = piece.follows.flatMap({ ends[$0]?.parameterSets }) else { return }
    verdicts.judge(.discontinuity)
    if before != sets {
      find(
        .discontinuity,
        "the video changes from \(before.codec) \(before.size) to \(sets.codec) \(sets.size) without "
          + "EXT-X-DISCONTINUITY", piece.url, piece.key, section: "4.4.4.3")
    }
  }

  /// Compares two times that should be equal.
  private mutating func judgeGap(_ gap: Ticks, _ piece: Piece, tolerance: Ticks) {
    verdicts.judge(.timing, .discontinuity)
    guard abs(gap.count) > tolerance.count else { return }
    let text =
      "its timestamps begin \(Ticks(abs(gap.count))) \(gap > .zero ? "after" : "before") the end of the one before"
    if abs(gap.count) > max(Self.break_, tolerance).count {
      find(.discontinuity, "\(text), without EXT-X-DISCONTINUITY", piece.url, piece.key, section: "4.4.4.3")
    } else {
      find(.timing, text, piece.url, piece.key, .should, section: "3")
    }
  }

  private mutating func judgeDuration(_ found: Ticks, _ piece: Piece, tolerance: Ticks) {
    verdicts.judge(.timing)
    let off = abs(found.count - piece.duration.count)
    guard off > tolerance.count else { return }
    find(
      .timing, "its media last \(found), but \(piece.isSegment ? "EXTINF" : "EXT-X-PART") says \(piece.duration)",
      piece.url, piece.key, off > max(Self.break_, tolerance).count ? .must : .should,
      section: piece.isSegment ? "4.4.4.1" : "4.4.4.9")
  }

  // MARK: Formats

  private mutating func probe(_ run: MP4Run, _ tracks: [MP4Track], _ piece: Piece, _ end: inout End) {
    guard let track = tracks.first(where: { $0.id == run.track }), track.timescale > 0 else {
      find(.declaration, "it has the track \(run.track), which the init segment lacks", piece.url, piece.key)
      return
    }
    let scale = UInt64(track.timescale)
    guard let duration = Ticks(run.duration, scale: scale) else {
      return find(.timing, "its sample durations overflow", piece.url, piece.key)
    }
    let (runEnd, overflow) = run.start.addingReportingOverflow(run.duration)
    guard !overflow else { return find(.timing, "its times overflow", piece.url, piece.key) }
    end.tracks[run.track] = runEnd
    let sample = Ticks(max(1, duration.count / Int64(max(1, run.samples))))
    if let gap = run.firstGap,
      let size = Ticks(gap.found > gap.expected ? gap.found - gap.expected : gap.expected - gap.found, scale: scale)
    {
      judgeGap(gap.found > gap.expected ? size : .zero - size, piece, tolerance: Self.slight)
    }
    if let before = piece.follows.flatMap({ ends[$0]?.tracks[run.track] }) {
      let later = run.start > before
      if let size = Ticks(later ? run.start - before : before - run.start, scale: scale) {
        judgeGap(later ? size : .zero - size, piece, tolerance: Self.slight)
      }
    }
    guard track.handler == "vide" || tracks.count == 1 else { return }
    judgeDuration(duration, piece, tolerance: max(Self.slight, sample.count > 9_000 ? Self.slight : sample))
    judgeStart(run.firstUnit, piece)
    let sets = run.firstUnit?.parameterSets
    judgeSets(sets ?? track.parameterSets, piece, &end)
    if let sets, let own = track.parameterSets, sets != own {
      find(
        .declaration, "its parameter set says \(sets.codec) \(sets.size), the init segment \(own.codec) \(own.size)",
        piece.url, piece.key)
    }
  }

  private mutating func probe(_ stream: TransportStream, _ piece: Piece) -> End {
    var end = End()
    verdicts.judge(.timing)
    if stream.lostPackets > 0 {
      find(.timing, "\(stream.lostPackets) packets lack the sync byte", piece.url, piece.key, section: "3.1.1")
    }
    guard stream.hasTables else {
      find(.declaration, "no PAT and PMT come before the media", piece.url, piece.key, section: "3.1.1")
      return end
    }
    guard let first = stream.times.first, let last = stream.times.last else {
      find(.timing, "no PES packet has a time stamp", piece.url, piece.key, section: "3.1.1")
      return end
    }
    let step = stream.step ?? Ticks.milliseconds(100)
    end.stamp = (last &+ UInt64(max(0, step.count))) & ((1 << 33) - 1)
    if let before = piece.follows.flatMap({ ends[$0]?.stamp }) {
      judgeGap(Ticks(TransportStream.difference(first, before)), piece, tolerance: step + Self.slight)
    }
    if stream.times.count > 1 {
      let span = Ticks(TransportStream.difference(last, first)) + step
      judgeDuration(span, piece, tolerance: step + .milliseconds(100))
    }
    if stream.kind == .avc {
      judgeStart(stream.firstUnit, piece)
      judgeSets(stream.firstUnit?.parameterSets, piece, &end)
    }
    return end
  }
}

extension Ticks {
  /// A count of `1 / scale` seconds; `nil` if it is more than a century.
  init?(_ count: UInt64, scale: UInt64) {
    guard scale > 0, count / scale < 3_200_000_000 else { return nil }
    let ticks = UInt64(Ticks.perSecond)
    self.init(Int64(count / scale * ticks + count % scale * ticks / scale))
  }
}
