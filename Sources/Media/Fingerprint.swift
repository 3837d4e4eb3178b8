import NIOCore

extension ByteBuffer {
  /// Eight hexadecimal digits that differ for different content (FNV-1a, folded to 32 bits). Good for names and
  /// validators, but no protection against somebody who wants two contents to get the same digits.
  package var fingerprint: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    withUnsafeReadableBytes { for byte in $0 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 } }
    let text = String(UInt32(truncatingIfNeeded: hash ^ hash >> 32), radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }
}
