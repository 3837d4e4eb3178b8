/// What the segments before a JPEG's first scan say about its colours.
///
/// Whether three components are YCbCr or RGB follows libjpeg's rule, which everybody's pictures are made to fit: JFIF
/// means YCbCr; without it Adobe's transform flag decides; without both the names of the components.
package struct JPEGColour {
  /// The space in which the colours are meant.
  package enum Space: Hashable, Sendable {
    /// sRGB, or none is said.
    case standard
    /// Adobe RGB (1998), said by EXIF alone.
    case adobeRGB
    /// That of an ICC profile, which stands in these pieces of the picture.
    case profile([Range<Int>])
  }

  /// The most bytes of a profile that are read: those of cameras and displays have some kilobytes.
  static let mostProfileBytes = 1 << 20

  private var hasJFIF = false
  private var adobeTransform: UInt8?
  private var isAdobeRGB = false
  private var pieces: [Int: Range<Int>] = [:]
  private var pieceCount = 0
  private var isProfileDamaged = false
  /// Where Adobe's segments stand, with their markers.
  private(set) var adobeSegments: [Range<Int>] = []

  /// Reads JFIF's APP0 (JFIF 1.02; it has at least 14 bytes).
  mutating func readJFIF(_ payload: UnsafeRawBufferPointer) {
    if payload.count >= 14, payload.prefix(5).elementsEqual([0x4A, 0x46, 0x49, 0x46, 0]) { hasJFIF = true }
  }

  /// Reads Adobe's APP14 (Adobe Technical Note 5116, section 18).
  mutating func readAdobe(_ payload: UnsafeRawBufferPointer, segment: Range<Int>) {
    adobeSegments.append(segment)
    if payload.count >= 12, payload.prefix(5).elementsEqual([0x41, 0x64, 0x6F, 0x62, 0x65]) {
      adobeTransform = payload[11]
    }
  }

  /// Reads one piece of an ICC profile in an APP2 segment (ICC.1:2022, section B.4), whose payload stands at `start`.
  mutating func readProfile(_ payload: UnsafeRawBufferPointer, at start: Int) {
    guard payload.count > 14, payload.prefix(12).elementsEqual(Array("ICC_PROFILE\0".utf8)) else { return }
    let (number, count) = (Int(payload[12]), Int(payload[13]))
    guard (1...max(count, 1)).contains(number), pieceCount == 0 || pieceCount == count, pieces[number] == nil else {
      isProfileDamaged = true
      return
    }
    pieceCount = count
    pieces[number] = start + 14..<start + payload.count
  }

  /// Notes that the EXIF says Adobe RGB.
  mutating func noteAdobeRGB() { isAdobeRGB = true }

  /// The space; a profile that is damaged or too large says nothing.
  var space: Space {
    let profile = pieces.sorted { $0.key < $1.key }.map(\.value)
    if !profile.isEmpty {
      let isWhole = !isProfileDamaged && profile.count == pieceCount
      return isWhole && profile.reduce(0, { $0 + $1.count }) <= Self.mostProfileBytes ? .profile(profile) : .standard
    }
    return isAdobeRGB ? .adobeRGB : .standard
  }

  /// Whether three components of these names are red, green and blue.
  func isRGB(names: [UInt8]) -> Bool {
    guard names.count == 3, !hasJFIF else { return false }
    return adobeTransform.map { $0 == 0 } ?? (names == Self.redGreenBlue)
  }

  /// The names R, G and B.
  static let redGreenBlue: [UInt8] = [0x52, 0x47, 0x42]
}
