import Foundation
import Media
import NIOCore
import Packager

/// What a camera's stream must remember over the end of the process, as `state.json` in its folder.
///
/// The mirror writes it behind with each part. Whatever it misses costs a viewer a part and never a rule: names are
/// reserved far ahead, so what a lost write named is not used again.
struct StreamState: Codable, Sendable {
  static let fileName = "state.json"
  /// Where the file is put while it cannot be replaced: its numbers are not the last ones then, its orders are.
  static let asideName = "state-old.json"
  /// Where the reserved name stands once more by itself, for a life that finds the rest lost or damaged.
  static let reservedFileName = "reserved.json"
  /// What players that count in doubles can still tell apart; a state that says more is damaged.
  static let highest = 1 << 53

  /// No name with this number or a higher one has been used.
  var reservedName: Int
  /// The length of a part and of a segment: what a stream may not change.
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
  /// What has left the playlist and is served on, and all that the playlist without parts serves, listed or not; an
  /// earlier version of Quietcam wrote none of it.
  var removed: [RemovedSegment]?
  /// No playlist has begun with a higher media sequence number than this; likewise.
  var reservedSequence: Int?
  /// What the operator has ordered until further notice.
  var standing: Director.Standing
  /// Whether the camera was shown and not its loop.
  var isLive: Bool

  /// The file's content.
  var bytes: ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Strings, numbers and truths only: there is nothing that cannot be written.
    guard let data = try? encoder.encode(self) else { return ByteBuffer() }
    return ByteBuffer(bytes: data)
  }

  /// How long its segments are served once they are not listed any more, whatever the lengths are now: while the disk
  /// hung the window may have become twice as long.
  var removedSegmentTime: Ticks { Ticks(segment) * Int64(2 * min(segments.count, 200) + 3) }

  /// The same of parts.
  var removedPartTime: Ticks { Ticks(segment) * 3 + Ticks(part) }

  /// What a file says; `nil` where it is not there or damaged.
  static func read(_ text: ByteBuffer?) -> StreamState? {
    guard let text, let state = try? JSONDecoder().decode(StreamState.self, from: Data(text.readableBytesView)),
      [state.reservedName, state.mediaSequence, state.discontinuitySequence, state.reservedSequence ?? 0]
        .allSatisfy((0...highest).contains),
      state.part > 0, (state.part...Ticks.seconds(60).count).contains(state.segment),
      (state.segments + (state.open.map { [$0] } ?? []) + (state.removed ?? []).map(\.segment)).allSatisfy(isSound)
    else { return nil }
    return state
  }

  /// What the file of the reserved name says; `nil` where it is not there or damaged.
  static func readReservedName(_ text: ByteBuffer?) -> Int? {
    guard let text, let name = try? JSONDecoder().decode(Int.self, from: Data(text.readableBytesView)),
      (0...highest).contains(name)
    else { return nil }
    return name
  }

  private static func isSound(_ segment: ListedSegment) -> Bool {
    segment.partBytes.count <= 1000 && segment.partBytes.allSatisfy((0...1 << 32).contains)
      && !segment.map.contains("/")
  }
}
