import Media
import NIOCore
import Packager
import Playlist

/// A place that one camera's stream is copied to, for players without low latency. It gets what viewers can get, at the
/// moment when they can, and must not wait.
package protocol StreamCopy: Sendable {
  /// Takes what an earlier process has left of the playlist without parts, before anything else of this one.
  ///
  /// - Parameters:
  ///   - segments: oldest first; a discontinuity is where one stream ended and the next began.
  ///   - recorded: what the playlist says of those that show the loop.
  ///   - media: the segments and their init segments.
  func restore(
    _ segments: [MediaPlaylist.Segment], recorded: [MediaPlaylist.DateRange], media: [String: ByteBuffer],
    targetDuration: Int)
  /// Takes a version of the playlist without parts, without reports about other renditions.
  ///
  /// - Parameters:
  ///   - adding: the media that is new in it.
  ///   - most: how many segments it can list.
  func publish(_ playlist: MediaPlaylist, adding: [(name: String, bytes: ByteBuffer)], most: Int)
  /// Takes the picture that `latest.jpg` shows now.
  func show(_ jpeg: ByteBuffer)
  /// Takes everything back at once.
  func withdraw()
  /// What operators can know of it.
  var report: CopyReport { get }
}

/// What operators can know of a copy.
package struct CopyReport: Hashable, Sendable {
  /// Objects that are owed: to be written, or to be removed because they were withdrawn.
  package let waiting: Int
  /// Objects that were written, and their bytes.
  package let written: Int64
  package let writtenBytes: Int64
  /// Objects that were removed.
  package let removed: Int64
  /// Requests that failed.
  package let failures: Int64
  /// Segments whose time was over before they could be written.
  package let skipped: Int64
  /// When an object was written last.
  package let lastWritten: WallTime?
  /// What the last request failed of; `nil` if it did not.
  package let trouble: String?

  /// A report with these values.
  package init(
    waiting: Int, written: Int64, writtenBytes: Int64, removed: Int64, failures: Int64, skipped: Int64,
    lastWritten: WallTime?, trouble: String?
  ) {
    (self.waiting, self.written, self.writtenBytes, self.removed) = (waiting, written, writtenBytes, removed)
    (self.failures, self.skipped, self.lastWritten, self.trouble) = (failures, skipped, lastWritten, trouble)
  }
}

/// What an earlier process has left of the playlist without parts.
struct LeftPlain {
  private(set) var segments: [MediaPlaylist.Segment] = []
  private(set) var recorded: [MediaPlaylist.DateRange] = []
  private(set) var media: [String: ByteBuffer] = [:]

  /// What a recovery has of it: segments whose length is the one of now, which is all that one playlist can list.
  init(_ recovery: Recovery, timeline: TimelineSettings) {
    let found = recovery.removed.map(\.segment).filter { $0.name.isPlain && !$0.map.isEmpty }
      .sorted { (SegmentName.number(inFile: $0.file) ?? 0) < (SegmentName.number(inFile: $1.file) ?? 0) }
    var end: Ticks?
    for segment in found {
      guard let bytes = recovery.media[segment.file], let map = recovery.media[segment.map],
        let parts = try? FragmentReader.parts(in: bytes), let first = parts.first
      else { continue }
      let length = timeline.step * Int64(parts.reduce(0) { $0 + $1.pictures.count })
      guard length == timeline.segment else { continue }
      segments.append(
        MediaPlaylist.Segment(
          uri: segment.file, duration: length, programDateTime: segment.date,
          discontinuity: end.map { $0 != first.start } ?? false, map: MediaPlaylist.Map(uri: segment.map)))
      if segment.isMarkedRecorded { recorded.append(segment.range(length: length)) }
      (media[segment.file], media[segment.map]) = (bytes, map)
      end = first.start + length
    }
  }
}
