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
}
