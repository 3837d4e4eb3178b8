import Foundation
import Media
import NIOCore
import Playlist

// Holds that no bytes crash the playlist parsers, and that what they accept means the same after rendering.
//
// `make fuzz` builds it with `--sanitize fuzzer -Xswiftc -DLIBFUZZER`: then libFuzzer makes the bytes and its options are
// this program's. Built as usual it reads the files that it is given, such as those that libFuzzer leaves.

#if LIBFUZZER
  @_cdecl("LLVMFuzzerTestOneInput")
  func tryOne(_ bytes: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    hold(ByteBuffer(bytes: UnsafeRawBufferPointer(start: bytes, count: length)))
    return 0
  }
#else
  @main struct PlaylistFuzz {
    static func main() throws {
      for name in CommandLine.arguments.dropFirst() {
        hold(ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: name))))
      }
    }
  }
#endif

/// Ends the program where the parsers break what they promise.
private func hold(_ bytes: ByteBuffer) {
  if let playlist = try? MediaPlaylist.parse(bytes) {
    let text = playlist.render()
    precondition((try? MediaPlaylist.parse(text)) == playlist, "means something else: \(String(buffer: text))")
    if let delta = playlist.delta(skipUntil: .seconds(1)) {
      let text = delta.render()
      precondition((try? MediaPlaylist.parse(text)) == delta, "means something else: \(String(buffer: text))")
      _ = delta.merging(into: playlist)
    }
    _ = playlist.merging(into: playlist)
  }
  if let playlist = try? MultivariantPlaylist.parse(bytes) {
    let text = playlist.render()
    precondition((try? MultivariantPlaylist.parse(text)) == playlist, "means something else: \(String(buffer: text))")
  }
}
