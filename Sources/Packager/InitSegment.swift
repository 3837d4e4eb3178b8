import Media
import NIOCore

/// The init segment of a stream with one H.264 track, which a player reads once before any part (ISO/IEC 23000-19,
/// section 7.3.1).
package struct InitSegment: Hashable, Sendable {
  /// The whole segment.
  package let bytes: ByteBuffer
  /// Its file name, made from its content: the same stream has the same name, another stream has another.
  package let name: String
  /// The codec for EXT-X-STREAM-INF's CODECS.
  package let codec: String

  /// The init segment for pictures of `size`, one every `step`.
  ///
  ///     ftyp
  ///     moov ─ mvhd
  ///            trak ─ tkhd
  ///                   mdia ─ mdhd, hdlr
  ///                          minf ─ vmhd, dinf ─ dref ─ url
  ///                                 stbl ─ stsd ─ avc1 ─ avcC, colr
  ///                                        stts, stsc, stsz, stco (empty: all samples lie in fragments)
  ///            mvex ─ trex (one duration and the flags of a dependent picture for every sample)
  package init(parameterSets: ParameterSets, size: PictureSize, step: Ticks) {
    var writer = BoxWriter(capacity: 1024)
    writer.box("ftyp") {
      $0.put("iso6")
      $0.put(UInt32(0))
      $0.put("iso6cmfcmp41")
    }
    writer.box("moov") { moov in
      moov.fullBox("mvhd") {
        $0.zeros(8)
        $0.put(UInt32(Ticks.perSecond))
        $0.put(UInt32(0))
        $0.put(UInt32(0x0001_0000))
        $0.put(UInt16(0x0100))
        $0.zeros(10)
        $0.putIdentityMatrix()
        $0.zeros(24)
        $0.put(UInt32(2))
      }
      moov.box("trak") { trak in
        trak.fullBox("tkhd", flags: 7) {
          $0.zeros(8)
          $0.put(trackID)
          $0.zeros(24)
          $0.putIdentityMatrix()
          $0.put(UInt32(size.width) << 16)
          $0.put(UInt32(size.height) << 16)
        }
        trak.box("mdia") { $0.putMedia(parameterSets: parameterSets, size: size) }
      }
      moov.box("mvex") { mvex in
        mvex.fullBox("trex") {
          $0.put(trackID)
          $0.put(UInt32(1))
          $0.put(UInt32(step.count))
          $0.put(UInt32(0))
          $0.put(SampleFlags.dependent)
        }
      }
    }
    bytes = writer.buffer
    name = "init-\(bytes.fingerprint).mp4"
    codec = parameterSets.codec
  }
}

let trackID: UInt32 = 1

/// Sample flags (ISO/IEC 14496-12, section 8.8.3.1).
enum SampleFlags {
  /// A picture that depends on others and that others may depend on.
  static let dependent: UInt32 = 0x0101_0000
  /// An IDR picture.
  static let sync: UInt32 = 0x0200_0000
}

extension BoxWriter {
  fileprivate mutating func putIdentityMatrix() {
    for value: UInt32 in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] { put(value) }
  }

  fileprivate mutating func putMedia(parameterSets: ParameterSets, size: PictureSize) {
    fullBox("mdhd") {
      $0.zeros(8)
      $0.put(UInt32(Ticks.perSecond))
      $0.put(UInt32(0))
      $0.put(UInt16(0x55C4))  // Language "und".
      $0.put(UInt16(0))
    }
    fullBox("hdlr") {
      $0.zeros(4)
      $0.put("vide")
      $0.zeros(13)
    }
    box("minf") { minf in
      minf.fullBox("vmhd", flags: 1) { $0.zeros(8) }
      minf.box("dinf") { dinf in
        dinf.fullBox("dref") { dref in
          dref.put(UInt32(1))
          dref.fullBox("url ", flags: 1) { _ in }
        }
      }
      minf.box("stbl") { stbl in
        stbl.fullBox("stsd") { stsd in
          stsd.put(UInt32(1))
          stsd.box("avc1") { $0.putSampleEntry(parameterSets: parameterSets, size: size) }
        }
        stbl.fullBox("stts") { $0.zeros(4) }
        stbl.fullBox("stsc") { $0.zeros(4) }
        stbl.fullBox("stsz") { $0.zeros(8) }
        stbl.fullBox("stco") { $0.zeros(4) }
      }
    }
  }

  private mutating func putSampleEntry(parameterSets: ParameterSets, size: PictureSize) {
    zeros(6)
    put(UInt16(1))
    zeros(16)
    put(UInt16(size.width))
    put(UInt16(size.height))
    put(UInt32(0x0048_0000))
    put(UInt32(0x0048_0000))
    zeros(4)
    put(UInt16(1))
    zeros(32)
    put(UInt16(0x0018))
    put(Int16(-1))
    box("avcC") { $0.put(parameterSets.configurationRecord) }
    box("colr") {
      $0.put("nclx")
      $0.put(UInt16(1))
      $0.put(UInt16(1))
      $0.put(UInt16(size.height > 576 ? 1 : 6))
      $0.put(UInt8(0))
    }
  }
}
