import Media
import Playlist

@testable import Station

/// What H6 asks for: the names that a camera's playlists have listed, over all lives of its process, and until when
/// each has to be served.
struct RetainedMedia {
  private var until: [String: Ticks] = [:]
  /// The duration of the longest playlist that has listed a segment, by its name and its number: a loop's name comes
  /// again.
  private var longest: [String: Ticks] = [:]
  /// Those of them that are known to be on disk.
  private var durable: Set<String> = []

  /// Owes what a playlist lists: segments for their own duration and that of the longest playlist that listed them,
  /// their init segment as long, and parts for three target durations.
  mutating func owe(_ playlist: MediaPlaylist, now: Ticks) {
    let total = playlist.segments.reduce(Ticks.zero) { $0 + $1.duration }
    let partTime = Ticks.seconds(Int64(playlist.targetDuration)) * 3
    for (index, segment) in playlist.segments.enumerated() {
      let key = "\(segment.uri) \(playlist.mediaSequence + index)"
      let longest = max(total, self.longest[key] ?? .zero)
      self.longest[key] = longest
      owe(segment.uri, until: now + segment.duration + longest)
      if let map = segment.map { owe(map.uri, until: now + segment.duration + longest) }
      for part in segment.parts { owe(part.uri, until: now + partTime) }
    }
    for part in playlist.trailingParts { owe(part.uri, until: now + partTime) }
  }

  private mutating func owe(_ name: String, until time: Ticks) { until[name] = max(until[name] ?? time, time) }

  /// The names that have to be there and are not, each with the time for which it has to be.
  mutating func missing(at edge: LiveEdge, now: Ticks) -> [(name: String, time: Ticks)] {
    until = until.filter { $0.value > now }
    // What nobody is owed any more may go, also where it comes again later.
    durable.formIntersection(until.keys)
    return until.filter { edge.media(named: $0.key) == nil }.map { ($0.key, $0.value - now) }
  }

  /// The process has ended; the next life has what is on disk.
  mutating func processEnded() { until = until.filter { durable.contains($0.key) } }

  /// The disk takes nothing any more and gives nothing back but whole segments that were there.
  mutating func diskFailed() {
    durable = durable.filter { name in
      let pieces = name.split(separator: ".")
      return pieces.count == 2 || durable.contains("\(pieces[0]).mp4")
    }
  }

  /// All that is listed is on disk.
  mutating func becameDurable() { durable = Set(until.keys) }

  /// All of it was withdrawn.
  mutating func withdrawn() { (until, durable) = ([:], []) }
}
