import CFFmpeg
import Ingest
import NIOCore

extension Packet {
  /// What the decoder gets of a still: its picture alone, with the names of its components as the decoder has to read
  /// them.
  static func still(_ jpeg: ByteBuffer, header: JPEGHeader) throws(FFmpegError) -> Packet {
    let ranges = header.pictureRanges
    let packet = try Packet.copy(of: jpeg, ranges: ranges)
    var before = 0
    for range in ranges {
      for change in header.replacements where range.contains(change.offset) {
        packet.pointer.pointee.data[before + change.offset - range.lowerBound] = change.byte
      }
      before += range.count
    }
    return packet
  }
}

extension JPEGHeader {
  /// The ICC profile of its colours; `nil` for sRGB.
  func profile(of jpeg: ByteBuffer) -> [UInt8]? {
    switch space {
    case .standard: nil
    case .adobeRGB: ColourTransform.adobeRGB
    case .profile(let ranges): jpeg.withUnsafeReadableBytes { bytes in ranges.flatMap { bytes[$0] } }
    }
  }
}
