import Media
import Playlist

/// The segments and parts that a camera's playlist lists, and how long the ones that left it stay fetchable.
public struct LiveWindow: Sendable {
  private struct Segment: Sendable {
    let sequence: Int
    let start: Ticks
    let date: WallTime
    var parts: [MediaPlaylist.Part] = []
    var name: String { SlotPosition(sequence: sequence, part: 0).segmentName }
  }

  private let settings: TimelineSettings
  private let map: MediaPlaylist.Map
  private var complete: [Segment] = []
  private var open: Segment?
  /// Names that left the playlist and the moment of media time until which they must be served.
  private var leaving: [(name: String, until: Ticks)] = []

  /// An empty window.
  public init(settings: TimelineSettings, initName: String) {
    self.settings = settings
    map = MediaPlaylist.Map(uri: initName)
  }

  /// Lists a part that was just published.
  ///
  /// - Parameter date: when its segment begins; counts for the first part of a segment only.
  /// - Returns: the names that need not be served any more (rfc8216bis, section 6.2.2).
  public mutating func append(_ output: Segmenter.Output, date: WallTime) -> [String] {
    var segment = open ?? Segment(sequence: output.position.sequence, start: output.start, date: date)
    segment.parts.append(
      MediaPlaylist.Part(
        uri: output.position.partName, duration: settings.part, independent: output.isIndependent))
    if output.segment == nil {
      open = segment
    } else {
      complete.append(segment)
      open = nil
    }
    let end = output.start + settings.part
    dropOldParts(end: end)
    dropOldSegments(now: end)
    let gone = leaving.prefix { $0.until <= end }.map(\.name)
    leaving.removeFirst(gone.count)
    return gone
  }

  /// A part may go from the list once it is more than three target durations from the end, and is served for three
  /// more.
  private mutating func dropOldParts(end: Ticks) {
    for index in complete.indices where !complete[index].parts.isEmpty {
      guard complete[index].start + settings.segment < end - settings.segment * 3 + settings.part else { break }
      leaving += complete[index].parts.map { ($0.uri, end + settings.segment * 3) }
      complete[index].parts = []
    }
  }

  /// A segment is served for its own duration and that of the longest playlist that listed it.
  private mutating func dropOldSegments(now: Ticks) {
    while complete.count > settings.listedSegments {
      let until = now + settings.segment * Int64(settings.listedSegments + 2)
      leaving.append((complete.removeFirst().name, until))
      leaving.sort { $0.until < $1.until }
    }
  }

  /// How far from the end a delta update still lists segments (rfc8216bis, section 4.4.3.8).
  private var skipBoundary: Ticks { settings.segment * 6 }

  /// The playlist less the segments that a player with a recent one has already; `nil` where there are none to leave
  /// out (rfc8216bis, section 6.2.5.1).
  public var delta: MediaPlaylist? { playlist.delta(skipUntil: skipBoundary) }

  /// The position that the next part will have; `nil` before the first part.
  private var next: SlotPosition? {
    if let open { return SlotPosition(sequence: open.sequence, part: open.parts.count) }
    return complete.last.map { SlotPosition(sequence: $0.sequence + 1, part: 0) }
  }

  /// The playlist with parts, for the origin.
  public var playlist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: complete.first?.sequence ?? open?.sequence ?? 0,
      independentSegments: true,
      serverControl: MediaPlaylist.ServerControl(
        canBlockReload: true, canSkipUntil: skipBoundary, holdBack: settings.segment * 3,
        partHoldBack: settings.part * 3),
      partTarget: settings.part,
      segments: complete.map { entry($0, parts: $0.parts) },
      trailingParts: open?.parts ?? [],
      trailingMap: map,
      trailingProgramDateTime: open?.date,
      preloadHint: next.map { MediaPlaylist.PreloadHint(uri: $0.partName) })
  }

  /// The playlist of complete segments only, for a web server that knows nothing of parts.
  public var plainPlaylist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: complete.first?.sequence ?? 0,
      independentSegments: true,
      segments: complete.map { entry($0, parts: []) })
  }

  private func entry(_ segment: Segment, parts: [MediaPlaylist.Part]) -> MediaPlaylist.Segment {
    MediaPlaylist.Segment(
      uri: segment.name, duration: settings.segment, programDateTime: segment.date, map: map, parts: parts)
  }
}
