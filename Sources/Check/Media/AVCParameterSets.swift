import Media

/// The content of an H.264 sequence parameter set (ITU-T H.264, section 7.3.2.1.1).
struct AVCParameterSets: Hashable, Sendable {
  /// The codec for CODECS, such as `avc1.64001E` (RFC 6381, section 3.3).
  let codec: String
  /// The size of the picture after cropping.
  let size: PictureSize

  /// Reads a sequence parameter set, as a NAL unit without length or start code; `nil` for anything else.
  init?(sequence unit: some Collection<UInt8>) {
    guard let first = unit.first, first & 0x1F == AVC.sequenceParameterSet, unit.count >= 4, unit.count <= 65_536
    else { return nil }
    let payload = AVC.withoutEmulationPrevention(unit.dropFirst())
    guard payload.count >= 3, let size = Self.size(payload) else { return nil }
    codec = AVC.codec(payload.prefix(3))
    self.size = size
  }

  private static let profilesWithChroma: Set<UInt8> = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

  private static func size(_ payload: [UInt8]) -> PictureSize? {
    var bits = BitReader(payload)
    guard bits.bits(24) != nil, bits.unsigned() != nil else { return nil }
    var chroma = 1
    if profilesWithChroma.contains(payload[0]) {
      guard let format = bits.unsigned(), format <= 3 else { return nil }
      chroma = format
      if format == 3, let separate = bits.bit(), separate == 1 { chroma = 0 }
      guard bits.unsigned() != nil, bits.unsigned() != nil, bits.bit() != nil, let hasMatrix = bits.bit() else {
        return nil
      }
      if hasMatrix == 1 {
        for index in 0..<(format == 3 ? 12 : 8) {
          guard let isPresent = bits.bit() else { return nil }
          guard isPresent == 0 || skipScalingList(&bits, count: index < 6 ? 16 : 64) else { return nil }
        }
      }
    }
    guard bits.unsigned() != nil, let orderType = bits.unsigned() else { return nil }
    if orderType == 0 {
      guard bits.unsigned() != nil else { return nil }
    } else if orderType == 1 {
      guard bits.bit() != nil, bits.signed() != nil, bits.signed() != nil, let cycle = bits.unsigned(), cycle <= 255
      else { return nil }
      for _ in 0..<cycle { guard bits.signed() != nil else { return nil } }
    }
    guard bits.unsigned() != nil, bits.bit() != nil, let columns = bits.unsigned(), let rows = bits.unsigned(),
      columns < 4_096, rows < 4_096, let isProgressive = bits.bit()
    else { return nil }
    if isProgressive == 0, bits.bit() == nil { return nil }
    guard bits.bit() != nil, let isCropped = bits.bit() else { return nil }
    var (width, height) = ((columns + 1) * 16, (rows + 1) * 16 * (2 - isProgressive))
    if isCropped == 1 {
      guard let left = bits.unsigned(), let right = bits.unsigned(), let top = bits.unsigned(),
        let bottom = bits.unsigned()
      else { return nil }
      let unitX = chroma == 1 || chroma == 2 ? 2 : 1
      let unitY = (chroma == 1 ? 2 : 1) * (2 - isProgressive)
      width -= (left + right) * unitX
      height -= (top + bottom) * unitY
    }
    guard width > 0, height > 0 else { return nil }
    return PictureSize(width: width, height: height)
  }

  private static func skipScalingList(_ bits: inout BitReader, count: Int) -> Bool {
    var (last, next) = (8, 8)
    for _ in 0..<count {
      if next != 0 {
        guard let delta = bits.signed() else { return false }
        next = (last + delta) & 0xFF
      }
      if next != 0 { last = next }
    }
    return true
  }
}

/// NAL units of H.264 in either of their two forms.
enum AVC {
  static let idrSlice: UInt8 = 5
  static let sequenceParameterSet: UInt8 = 7

  /// `avc1.` and three bytes of profile, constraints and level in hexadecimal.
  static func codec(_ profile: some Sequence<UInt8>) -> String {
    "avc1."
      + profile.map { byte in
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
      }.joined()
  }

  /// The first coded slice and the first sequence parameter set of an access unit.
  struct AccessUnit: Hashable, Sendable {
    var firstSlice: UInt8?
    var parameterSets: AVCParameterSets?

    mutating func take(_ unit: ArraySlice<UInt8>) {
      guard let first = unit.first else { return }
      switch first & 0x1F {
      case 1...5: firstSlice = firstSlice ?? first & 0x1F
      case AVC.sequenceParameterSet: parameterSets = parameterSets ?? AVCParameterSets(sequence: unit)
      default: break
      }
    }
  }

  /// Reads an access unit whose NAL units come after lengths of `lengthSize` bytes, up to the first slice.
  static func accessUnit(lengthPrefixed bytes: ArraySlice<UInt8>, lengthSize: Int) -> AccessUnit {
    var result = AccessUnit()
    var reader = ByteReader(bytes)
    while result.firstSlice == nil, let length = reader.number(lengthSize), let length = Int(exactly: length),
      let unit = reader.take(length)
    { result.take(unit) }
    return result
  }

  /// Reads an access unit with start codes (ITU-T H.264, annex B), up to the first slice.
  static func accessUnit(annexB bytes: [UInt8]) -> AccessUnit {
    var result = AccessUnit()
    var start: Int?
    var index = 0
    while index + 2 < bytes.count, result.firstSlice == nil {
      guard bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 else {
        index += 1
        continue
      }
      if let start { result.take(bytes[start..<index]) }
      start = index + 3
      index += 3
      // The first byte identifies a slice; its end does not matter.
      if index < bytes.count, (1...5).contains(bytes[index] & 0x1F) { result.take(bytes[index...index]) }
    }
    if result.firstSlice == nil, let start, start < bytes.count { result.take(bytes[start...]) }
    return result
  }

  static func withoutEmulationPrevention(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var zeros = 0
    for byte in bytes {
      if zeros >= 2, byte == 3 {
        zeros = 0
        continue
      }
      zeros = byte == 0 ? zeros + 1 : 0
      result.append(byte)
    }
    return result
  }
}
