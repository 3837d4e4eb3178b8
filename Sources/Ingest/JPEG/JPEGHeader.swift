import Media
import NIOCore

/// The markers of a JPEG, read without decoding a pixel (ITU-T T.81, annex B).
///
/// Reading it walks all markers from SOI to EOI. So a still with a header is complete, of a kind that the decoder
/// accepts, and of an allowed size; only its entropy-coded data can still be wrong.
package struct JPEGHeader: Hashable, Sendable {
  /// The size as stored, before the orientation is applied.
  package let size: PictureSize
  /// One for grayscale, three for colour.
  package let components: Int
  /// Whether it is coded in several passes (SOF2).
  package let isProgressive: Bool
  /// How the picture must be rotated; upright if EXIF says nothing or has an invalid value.
  package let orientation: Orientation
  /// Bytes from SOI to EOI; what follows is padding.
  package let length: Int
  /// Whether the decoder can halve its sides: it cannot with rare subsamplings.
  package let mayBeReduced: Bool
  /// Whether it has Huffman tables; Motion JPEG can leave them out (ITU-T T.81, section K.3).
  package let hasHuffmanTables: Bool
  /// The colour space of its samples.
  package let space: JPEGColour.Space
  /// About how long it takes one core to decode, in nanoseconds; see `JPEGCost`.
  package let decodingNanoseconds: Int
  /// Where comments, application data and junk stand that the decoder must not see, with their markers; in order.
  package let metadata: [Range<Int>]
  /// Bytes that the decoder gets instead of those that stand there, in order.
  package let replacements: [Replacement]

  /// One byte that is changed for the decoder.
  package struct Replacement: Hashable, Sendable {
    package let offset: Int
    package let byte: UInt8
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
    mayBeReduced: Bool, hasHuffmanTables: Bool, space: JPEGColour.Space, decodingNanoseconds: Int,
    metadata: [Range<Int>], replacements: [Replacement]
  ) {
    self.size = size
    self.components = components
    self.isProgressive = isProgressive
    self.orientation = orientation
    self.length = length
    self.mayBeReduced = mayBeReduced
    self.hasHuffmanTables = hasHuffmanTables
    self.space = space
    self.decodingNanoseconds = decodingNanoseconds
    self.metadata = metadata
    self.replacements = replacements
  }

  /// The byte ranges of the picture without padding, without the segments that only describe it and without junk.
  ///
  /// FFmpeg's decoder takes orders from comments (`CS=ITU601` changes the range, others turn the picture upside down,
  /// away from its privacy masks), and it decides by rules of its own whether components are red, green and blue. So it
  /// gets to see neither: names that would mislead it are in `replacements`.
  package var pictureRanges: [Range<Int>] {
    var kept: [Range<Int>] = []
    var start = 0
    for range in metadata + [length..<length] {
      if start < range.lowerBound { kept.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    return kept
  }
}
