/// Which samplings of a JPEG's components FFmpeg decodes.
///
/// JPEG allows more (ITU-T T.81, section A.1.1) than any decoder takes, and a camera is to hear of it at once and not
/// when its picture is decoded. A test asks the decoder about each.
package enum JPEGSampling {
  /// Whether pictures of one or three components with these sampling factors (horizontal in the upper half) decode, in
  /// YCbCr; red, green and blue decode if all three are equal.
  package static func decodes(_ samplings: [UInt8]) -> Bool { samplings.count != 3 || known.contains(samplings) }

  /// Those of three components.
  package static let known: Set<[UInt8]> = Set(
    [
      0x111111, 0x112222, 0x121111, 0x121211, 0x121212, 0x141111, 0x141212, 0x211111, 0x211121, 0x212111, 0x212121,
      0x221111, 0x221112, 0x221121, 0x221122, 0x221211, 0x221212, 0x221221, 0x221222, 0x222111, 0x222112, 0x222121,
      0x222211, 0x222212, 0x222221, 0x231111, 0x241111, 0x311111, 0x321212, 0x411111, 0x421111, 0x222222,
    ].map { (number: Int) in [UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)] })
}
