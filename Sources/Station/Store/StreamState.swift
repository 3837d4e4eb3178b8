import Foundation
import Media
import NIOCore
import Packager

/// What a camera's stream must remember over the end of the process, as `state.json` in its folder.
///
/// The mirror writes it in the background with each part. Whatever it misses costs a viewer a part but breaks no rule:
/// names are reserved far ahead, so a name in a lost write is not used again.
struct StreamState: Codable, Sendable {
  static let fileName = "state.json"
  /// The name of the file while it cannot be replaced: its numbers are then not the last ones, but its commands are.
  static let asideName = "state-old.json"
  /// A second copy of the reserved name, for a process that finds the rest lost or damaged.
  static let reservedFileName = "reserved.json"
  /// The largest number that players with double precision can count; a state with a larger one is damaged.
  static let highest = 1 << 53
  /// The longest segment that a stream can have.
  private static let longest = Ticks.seconds(60)

  /// No name with this number or a higher one was used.
  var reservedName: Int
  /// The length of a part and of a segment, which a stream must not change.
  var part: Int64
  var segment: Int64
  /// The media sequence number of the first segment.
  var mediaSequence: Int
  /// How many discontinuities have left the window.
  var discontinuitySequence: Int
  /// The complete segments.
  var segments: [ListedSegment]
  /// The segment that is not complete yet.
  var open: ListedSegment?
  /// What has left the playlist and is retained, and everything that the playlist without parts serves, listed or not;
  /// an earlier version of Quietcam wrote none of it.
  var removed: [RemovedSegment]?
  /// No playlist has begun with a higher media sequence number than this; an earlier version of Quietcam did not write
  /// it.
  var reservedSequence: Int?
  /// The operator's commands that are in force.
  var standing: Director.Standing
  /// Whether the camera was shown and not its loop.
  var isLive: Bool

  /// The file's content.
  var bytes: ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Only strings, numbers and booleans: all of them can be written.
    guard let data = try? encoder.encode(self) else { return ByteBuffer() }
    return ByteBuffer(bytes: data)
  }

  /// How long its segments are served after they are no longer listed, whatever the current lengths are: while the disk
  /// hung, the window may have become twice as long.
  var removedSegmentTime: Ticks { Ticks(segment) * Int64(2 * min(segments.count, 200) + 3) }

  /// The same for parts.
  var removedPartTime: Ticks { Ticks(segment) * 3 + Ticks(part) }

  /// The content of a file; `nil` if it does not exist or is damaged.
  static func read(_ text: ByteBuffer?) -> StreamState? {
    guard let text, let state = try? JSONDecoder().decode(StreamState.self, from: Data(text.readableBytesView)),
      [state.reservedName, state.mediaSequence, state.discontinuitySequence, state.reservedSequence ?? 0]
        .allSatisfy((0...highest).contains),
      (1...longest.count).contains(state.part), (state.part...longest.count).contains(state.segment),
      (state.segments + (state.open.map { [$0] } ?? []) + (state.removed ?? []).map(\.segment)).allSatisfy(isSound)
    else { return nil }
    return state
  }

  /// The content of the file with the reserved name; `nil` if it does not exist or is damaged.
  static func readReservedName(_ text: ByteBuffer?) -> Int? {
    guard let text, let name = try? JSONDecoder().decode(Int.self, from: Data(text.readableBytesView)),
      (0...highest).contains(name)
    else { return nil }
    return name
  }

  /// Up to the end of the year 9999: with these, times can be added without a check.
  private static let dates = WallTime(milliseconds: 0)...WallTime(milliseconds: 253_402_300_799_999)

  private static func isSound(_ segment: ListedSegment) -> Bool {
    segment.partBytes.count <= 1000 && segment.partBytes.allSatisfy((0...1 << 32).contains)
      && !segment.map.contains("/") && dates.contains(segment.date)
  }
}
