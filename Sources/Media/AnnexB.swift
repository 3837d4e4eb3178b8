import NIOCore

/// H.264 byte streams in the form that encoders write: NAL units after start codes (ITU-T H.264, annex B).
package enum AnnexB {
  /// The kinds of NAL unit that Quietcam distinguishes (ITU-T H.264, table 7-1).
  package enum Kind {
    package static let slice: UInt8 = 1
    package static let idrSlice: UInt8 = 5
    package static let supplementalInformation: UInt8 = 6
    package static let sequenceParameterSet: UInt8 = 7
    package static let pictureParameterSet: UInt8 = 8
    package static let accessUnitDelimiter: UInt8 = 9
    package static let filler: UInt8 = 12
  }

  /// Calls `body` with each NAL unit in `bytes`, without start code and trailing zeros.
  package static func forEachUnit(
    in bytes: UnsafeRawBufferPointer, _ body: (_ kind: UInt8, _ unit: UnsafeRawBufferPointer) -> Void
  ) {
    var start: Int?
    var index = 0
    func emit(upTo end: Int) {
      guard let start else { return }
      var end = end
      while end > start, bytes[end - 1] == 0 { end -= 1 }
      if end > start { body(bytes[start] & 0x1F, UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
    }
    while index + 2 < bytes.count {
      if bytes[index + 2] > 1 {
        index += 3
      } else if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
        emit(upTo: index)
        start = index + 3
        index += 3
      } else {
        index += 1
      }
    }
    emit(upTo: bytes.count)
  }

  /// The same access unit with lengths instead of start codes, without the units that only cost bytes: delimiters,
  /// filler and the encoder's own name.
  package static func lengthPrefixed(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: bytes.count + 16)
    forEachUnit(in: bytes) { kind, unit in
      guard kind != Kind.accessUnitDelimiter, kind != Kind.supplementalInformation, kind != Kind.filler else { return }
      buffer.writeInteger(UInt32(unit.count))
      buffer.writeBytes(unit)
    }
    return buffer
  }

  /// The access unit of an MP4 sample with start codes instead of lengths.
  package static func startCoded(_ sample: ByteBuffer) -> ByteBuffer {
    var sample = sample
    var buffer = ByteBufferAllocator().buffer(capacity: sample.readableBytes)
    while let unit = sample.readLengthPrefixedSlice(as: UInt32.self) {
      buffer.writeInteger(UInt32(1))
      buffer.writeImmutableBuffer(unit)
    }
    return buffer
  }
}
