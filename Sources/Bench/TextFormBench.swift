import Media
import NIOCore
import Playlist

/// Measures what the playlist of a slot costs in each form in which it is sent.
enum TextFormBench {
  /// How often a form is made for one measurement: the processor clock of some machines counts in 4 ms.
  private static let rounds = 400
  /// The complete segments of a playlist at the default settings.
  private static let segments = 6

  /// A line for each form: its bytes and the microseconds of processor time to make it.
  static func run() -> [(name: String, value: String)] {
    let before = PlaylistBench.playlist(segments: segments, openParts: 7).render()
    let text = PlaylistBench.playlist(segments: segments, openParts: 8).render()
    let forms: [(name: String, make: () -> ByteBuffer)] = [
      ("gzip", { text.gzipped() }), ("brotli", { text.brotlied() }), ("brotli, smallest", { text.brotlied(.small) }),
      // The digest of the dictionary comes before it (RFC 9842, section 5).
      (
        "with the one before",
        { ByteBuffer(repeating: 0, count: 40 + text.zstandard(dictionary: before).readableBytes) }
      ),
    ]
    return [("playlist of a slot", "\(text.readableBytes) bytes")]
      + forms.map { form in
        var samples = Samples()
        var size = 0
        samples.measure { for _ in 0..<rounds { size = form.make().readableBytes } }
        return ("  " + form.name, "\(size) bytes, \(samples.median / Int64(rounds) / 1000) us")
      }
  }
}
