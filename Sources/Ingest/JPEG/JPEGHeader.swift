import CFFmpeg
import Media
import NIOCore

/// What the markers of a JPEG say, read without decoding a pixel (ITU-T T.81, annex B).
///
/// Reading it walks all markers from SOI to EOI, so a still with a header is whole, of a kind that the decoder
/// takes, and of a size that its reader allowed; only its entropy-coded data can still be wrong.
package struct JPEGHeader: Hashable, Sendable {
  /// The size as stored, before the orientation is applied.
  package let size: PictureSize
  /// One for grayscale, three for colour.
  package let components: Int
  /// Whether it is coded in several passes (SOF2).
  package let isProgressive: Bool
  /// How the picture has to be turned; upright where EXIF says nothing or nonsense.
  package let orientation: Orientation
  /// Bytes from SOI to EOI; what follows is padding.
  package let length: Int
  /// Whether the decoder can halve its sides on the way: it cannot with rare subsamplings.
  let mayBeReduced: Bool
  /// Whether it brings Huffman tables along; Motion JPEG may leave them out (ITU-T T.81, section K.3).
  let hasHuffmanTables: Bool
  /// The space in which its colours are meant.
  let space: JPEGColour.Space
  /// Where comments, application data and junk stand that the decoder must not see, with their markers; in order.
  let metadata: [Range<Int>]
  /// Bytes that the decoder gets instead of those that stand there, in order.
  let replacements: [Replacement]

  /// One byte that is changed for the decoder.
  struct Replacement: Hashable, Sendable {
    let offset: Int
    let byte: UInt8
  }

  /// Reads the header of the picture at the reader index.
  ///
  /// - Parameter maxPixels: the most pixels (width times height) that are allowed.
  /// - Throws: the refusal, with what is wrong at which byte.
  package init(_ buffer: ByteBuffer, maxPixels: Int) throws(StillRefusal) {
    let result = buffer.withUnsafeReadableBytes { bytes -> Result<JPEGHeader, StillRefusal> in
      var walk = JPEGWalk(bytes, maxPixels: maxPixels)
      do throws(StillRefusal) { return .success(try walk.header()) } catch { return .failure(error) }
    }
    self = try result.get()
  }

  init(
    size: PictureSize, components: Int, isProgressive: Bool, orientation: Orientation, length: Int,
    mayBeReduced: Bool, hasHuffmanTables: Bool, space: JPEGColour.Space, metadata: [Range<Int>],
    replacements: [Replacement]
  ) {
    self.size = size
    self.components = components
    self.isProgressive = isProgressive
    self.orientation = orientation
    self.length = length
    self.mayBeReduced = mayBeReduced
    self.hasHuffmanTables = hasHuffmanTables
    self.space = space
    self.metadata = metadata
    self.replacements = replacements
  }

  /// The picture without padding, without the segments that only describe it and without junk between segments.
  ///
  /// FFmpeg's decoder takes orders from comments (`CS=ITU601` changes the range, others turn the picture upside down,
  /// away from its privacy masks), and it takes components for red, green and blue by rules of its own. So it gets to
  /// see neither.
  func withoutMetadata(_ jpeg: ByteBuffer) throws(FFmpegError) -> Packet {
    var kept: [Range<Int>] = []
    var start = 0
    for range in metadata + [length..<length] {
      if start < range.lowerBound { kept.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    let packet = try Packet.copy(of: jpeg, ranges: kept)
    var before = 0
    for range in kept {
      for change in replacements where range.contains(change.offset) {
        packet.pointer.pointee.data[before + change.offset - range.lowerBound] = change.byte
      }
      before += range.count
    }
    return packet
  }

  /// The ICC profile that its colours are meant in; `nil` for sRGB.
  func profile(of jpeg: ByteBuffer) -> [UInt8]? {
    switch space {
    case .standard: nil
    case .adobeRGB: ColourTransform.adobeRGB
    case .profile(let ranges):
      jpeg.withUnsafeReadableBytes { bytes in ranges.flatMap { bytes[$0] } }
    }
  }
}
