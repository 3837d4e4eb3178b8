/// The bytes of a NAL unit with and without emulation prevention (ITU-T H.264, section 7.4.1).
package enum EscapedUnit {
  /// The payload without prevention bytes.
  package static func payload(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var (payload, zeros) = ([UInt8](), 0)
    payload.reserveCapacity(bytes.underestimatedCount)
    for byte in bytes {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      payload.append(byte)
      zeros = byte == 0 ? zeros + 1 : 0
    }
    return payload
  }

  /// The payload with prevention bytes.
  package static func escaped(_ payload: [UInt8]) -> [UInt8] {
    var (bytes, zeros) = ([UInt8](), 0)
    bytes.reserveCapacity(payload.count + 16)
    for byte in payload {
      if zeros == 2, byte <= 3 {
        bytes.append(3)
        zeros = 0
      }
      bytes.append(byte)
      zeros = byte == 0 ? zeros + 1 : 0
    }
    if bytes.last == 0 { bytes.append(3) }
    return bytes
  }
}
