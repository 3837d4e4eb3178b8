import Media
import NIOCore

/// Writes parts: each is one movie fragment with its media data (ISO/IEC 14496-12, section 8.8).
///
/// Only what differs from the init segment's `trex` is written. So a part of one picture takes 100 bytes besides the
/// picture, and each further picture 4:
///
///     moof ─ mfhd                     the part's number
///            traf ─ tfhd              the track, offsets from this moof
///                   tfdt              when the part begins
///                   trun              the pictures' sizes, and that the first is an IDR picture
///     mdat
enum Fragment {
  private static let dataOffsetPresent: UInt32 = 0x000001
  private static let firstSampleFlagsPresent: UInt32 = 0x000004
  private static let sampleSizePresent: UInt32 = 0x000200
  private static let defaultBaseIsMoof: UInt32 = 0x020000

  /// One part of pictures on the grid, from `start` on.
  ///
  /// - Parameter number: of the fragment, one more than the part before.
  static func write(_ pictures: [CodedPicture], start: Ticks, number: UInt32) -> ByteBuffer {
    let mediaBytes = pictures.reduce(0) { $0 + $1.bytes.readableBytes }
    var writer = BoxWriter(capacity: 128 + 4 * pictures.count + mediaBytes)
    var offsetIndex = 0
    writer.box("moof") { moof in
      moof.fullBox("mfhd") { $0.put(number) }
      moof.box("traf") { traf in
        traf.fullBox("tfhd", flags: defaultBaseIsMoof) { $0.put(trackID) }
        traf.fullBox("tfdt", version: 1) { $0.put(UInt64(start.count)) }
        let startsWithIDR = pictures.first?.isIDR == true
        let flags = dataOffsetPresent | sampleSizePresent | (startsWithIDR ? firstSampleFlagsPresent : 0)
        traf.fullBox("trun", flags: flags) { trun in
          trun.put(UInt32(pictures.count))
          offsetIndex = trun.buffer.writerIndex
          trun.put(UInt32(0))
          if startsWithIDR { trun.put(SampleFlags.sync) }
          for picture in pictures { trun.put(UInt32(picture.bytes.readableBytes)) }
        }
      }
    }
    writer.set(UInt32(writer.buffer.writerIndex + 8), at: offsetIndex)
    writer.box("mdat") { mdat in
      for picture in pictures { mdat.put(picture.bytes) }
    }
    return writer.buffer
  }
}
