import Foundation
import Media
import NIOCore
import Playlist

/// Holds that no bytes crash the playlist parsers, and that what they accept means the same after rendering.
///
/// `make fuzz` builds it with `--sanitize fuzzer -Xswiftc -DLIBFUZZER`; then libFuzzer makes the bytes and its options
/// are this program's. Built as usual it reads the files that it is given, such as the one that libFuzzer left.
@main struct PlaylistFuzz {
  static func main() throws {
    #if LIBFUZZER
      var count = CommandLine.argc
      var arguments = CommandLine.unsafeArgv
      exit(
        runLibFuzzer(&count, &arguments) { bytes, length in
          hold(ByteBuffer(bytes: UnsafeRawBufferPointer(start: bytes, count: length)))
          return 0
        })
    #else
      for name in CommandLine.arguments.dropFirst() {
        hold(ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: name))))
      }
    #endif
  }

  /// Ends the program where the parsers break what they promise.
  static func hold(_ bytes: ByteBuffer) {
    if let playlist = try? MediaPlaylist.parse(bytes) {
      let rendered = playlist.render()
      precondition(
        (try? MediaPlaylist.parse(rendered)) == playlist, "means something else: \(String(buffer: rendered))")
      if let delta = playlist.delta(skipUntil: .seconds(1)) {
        precondition(
          (try? MediaPlaylist.parse(delta.render())) == delta, "delta: \(String(buffer: delta.render()))")
        _ = delta.merging(into: playlist)
      }
      _ = playlist.merging(into: playlist)
    }
    if let playlist = try? MultivariantPlaylist.parse(bytes) {
      let rendered = playlist.render()
      precondition(
        (try? MultivariantPlaylist.parse(rendered)) == playlist, "means something else: \(String(buffer: rendered))")
    }
  }
}

#if LIBFUZZER
  @_silgen_name("LLVMFuzzerRunDriver")
  private func runLibFuzzer(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ tryOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  ) -> Int32
#endif
