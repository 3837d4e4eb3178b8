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
  package let mayBeReduced: Bool
  /// Where comments and application data stand that the decoder does not need, with their markers.
  package let metadata: [Range<Int>]

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
    mayBeReduced: Bool, metadata: [Range<Int>]
  ) {
    self.size = size
    self.components = components
    self.isProgressive = isProgressive
    self.orientation = orientation
    self.length = length
    self.mayBeReduced = mayBeReduced
    self.metadata = metadata
  }

  /// The byte ranges of the picture without padding and without the segments that only describe it.
  ///
  /// FFmpeg's decoder takes orders from comments (`CS=ITU601` changes the range, others turn the picture upside down,
  /// away from its privacy masks), so it never gets to see them.
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

/// The orientation that an APP1 segment's EXIF says, `nil` where it says none or the EXIF is damaged: a picture is
/// never refused for its metadata.
func exifOrientation(_ segment: UnsafeRawBufferPointer) -> Orientation? {
  guard segment.count >= 14, segment.prefix(6).elementsEqual([0x45, 0x78, 0x69, 0x66, 0, 0]) else { return nil }
  let tiff = UnsafeRawBufferPointer(rebasing: segment[6...])
  let isBigEndian = tiff[0] == 0x4D
  guard tiff[0] == tiff[1], isBigEndian || tiff[0] == 0x49 else { return nil }
  func number(at offset: Int, bytes count: Int) -> Int? {
    guard offset >= 0, offset <= tiff.count - count else { return nil }
    return (0..<count).reduce(0) { sum, index in
      sum | Int(tiff[offset + index]) << (8 * (isBigEndian ? count - 1 - index : index))
    }
  }
  guard number(at: 2, bytes: 2) == 42, let directory = number(at: 4, bytes: 4),
    let entries = number(at: directory, bytes: 2)
  else { return nil }
  for entry in 0..<entries {
    let at = directory + 2 + 12 * entry
    guard let tag = number(at: at, bytes: 2) else { return nil }
    guard tag == 0x0112 else { continue }
    guard number(at: at + 2, bytes: 2) == 3 else { return nil }
    return number(at: at + 8, bytes: 2).flatMap { Orientation(rawValue: UInt16($0)) }
  }
  return nil
}
