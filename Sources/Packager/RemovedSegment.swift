import Media

/// A segment that has left the playlist and is retained for a while (rfc8216bis, section 6.2.2): all that a new process
/// must know to keep serving it.
package struct RemovedSegment: Hashable, Sendable, Codable {
  /// The segment.
  package let segment: ListedSegment
  /// How much of the stream must play before it may be removed.
  package var time: Ticks
  /// How much must play before its parts may be removed; zero if they need not be served any more.
  package var partTime: Ticks

  /// A segment that is retained for this long.
  package init(_ segment: ListedSegment, time: Ticks, partTime: Ticks) {
    self.segment = segment
    self.time = time
    self.partTime = partTime
  }

  private enum CodingKeys: String, CodingKey { case segment, time, partTime }

  /// Reads the encoded form.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    segment = try values.decode(ListedSegment.self, forKey: .segment)
    time = Ticks(try values.decode(Int64.self, forKey: .time))
    partTime = Ticks(try values.decode(Int64.self, forKey: .partTime))
    guard (0...Self.longest).contains(time.count), (0...Self.longest).contains(partTime.count) else {
      throw DecodingError.dataCorrupted(
        DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "no segment is served for so long"))
    }
  }

  /// Writes the times as ticks.
  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(segment, forKey: .segment)
    try values.encode(time.count, forKey: .time)
    try values.encode(partTime.count, forKey: .partTime)
  }

  /// Room for twice the longest window with segments of a minute, while the disk hangs.
  private static let longest = Ticks.seconds(60 * 410).count
}

extension TimelineSettings {
  /// How long a segment is served after it left the playlist: its own duration and that of the longest playlist that
  /// listed it.
  package var removedSegmentTime: Ticks { segment * Int64(listedSegments + 3) }

  /// How long a playlist can become while the disk hangs; the state on disk does not tell the next process about that.
  package var longestPlaylist: Ticks { segment * Int64(2 * listedSegments) }

  /// How long a part is served after it left the playlist: three target durations, and one part more.
  package var removedPartTime: Ticks { segment * 3 + part }
}
