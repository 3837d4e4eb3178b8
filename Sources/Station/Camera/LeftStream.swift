import NIOCore
import Packager

/// What a loop of a camera leaves to the next one of the same process, so that the stream goes on as after a restart.
struct LeftStream: Sendable {
  /// The files that its folder in the store has or would have, by name.
  let files: [String: ByteBuffer]
  /// How long after the beginning of its slot each part was published, where a veil could begin.
  let offset: PublishOffset
}
