import NIOCore
import Packager

/// What a loop of a camera leaves to the next one of the same process: the files that its folder in the store has or
/// would have, so that the stream goes on as after a restart.
struct LeftStream: Sendable {
  /// The files, by name.
  let files: [String: ByteBuffer]
}
