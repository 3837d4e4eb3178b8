import CFFmpeg
import CLcms
import Media

/// Brings colours of an ICC profile to sRGB, by Little CMS: the one owner of its transform.
///
/// Viewers get pictures without profiles, which every browser takes for sRGB.
struct ColourTransform: ~Copyable {
  private enum Way {
    /// The colours are sRGB already, or the profile cannot be read.
    case none
    case colour(cmsHTRANSFORM)
    /// The sRGB value of each gray.
    case gray([UInt8])
  }

  /// The profile that it was made for.
  private let profile: [UInt8]
  private let way: Way

  /// A difference up to this, in steps of 256, is no other colour: profiles of sRGB are rounded in many ways.
  private static let tolerance = 2

  /// A transform that changes nothing.
  init() { (profile, way) = ([], .none) }

  private init(_ profile: [UInt8], isGray: Bool) {
    self.profile = profile
    way = Self.way(profile, isGray: isGray)
  }

  deinit {
    if case .colour(let transform) = way { cmsDeleteTransform(transform) }
  }

  /// Makes itself the transform for the profile of a frame.
  ///
  /// - Returns: whether the frame's colours are others than those of sRGB.
  mutating func prepare(for frame: borrowing Frame) -> Bool {
    guard let bytes = frame.profile else { return false }
    if !profile.elementsEqual(bytes) {
      self = ColourTransform(Array(bytes), isGray: frame.format == AV_PIX_FMT_GRAY8)
    }
    if case .none = way { return false } else { return true }
  }

  /// Changes the colours of an `rgb24` picture in place.
  func apply(to frame: borrowing Frame) {
    guard let data = frame.pointer.pointee.data.0 else { return }
    let (size, stride) = (frame.size, Int(frame.pointer.pointee.linesize.0))
    switch way {
    case .none: return
    case .colour(let transform):
      cmsDoTransformLineStride(
        transform, data, data, UInt32(size.width), UInt32(size.height), UInt32(stride), UInt32(stride), 0, 0)
    case .gray(let table):
      for y in 0..<size.height {
        let row = UnsafeMutableBufferPointer(start: data + y * stride, count: 3 * size.width)
        for index in row.indices { row[index] = table[Int(row[index])] }
      }
    }
  }

  private static func way(_ bytes: [UInt8], isGray: Bool) -> Way {
    // The signature `acsp` stands at byte 36 (ICC.1:2022, section 7.2).
    guard bytes.count >= 132, bytes[36..<40].elementsEqual([0x61, 0x63, 0x73, 0x70]),
      let input = cmsOpenProfileFromMem(bytes, UInt32(bytes.count))
    else { return .none }
    defer { cmsCloseProfile(input) }
    let isOfGray = cmsGetColorSpace(input) == cmsSigGrayData
    guard isOfGray || cmsGetColorSpace(input) == cmsSigRgbData, !isOfGray || isGray,
      let output = cmsCreate_sRGBProfile()
    else { return .none }
    defer { cmsCloseProfile(output) }
    let format = isOfGray ? qc_lcms_gray() : qc_lcms_rgb()
    // Without its cache of one pixel a transform may be used from anywhere.
    guard
      let transform = cmsCreateTransform(
        input, format, output, qc_lcms_rgb(), UInt32(INTENT_RELATIVE_COLORIMETRIC), UInt32(cmsFLAGS_NOCACHE))
    else { return .none }
    if isOfGray {
      defer { cmsDeleteTransform(transform) }
      let table = grayTable(transform)
      let isPlain = table.enumerated().allSatisfy { abs($0.offset - Int($0.element)) <= tolerance }
      return isPlain ? .none : .gray(table)
    }
    if changesNothing(transform) {
      cmsDeleteTransform(transform)
      return .none
    }
    return .colour(transform)
  }

  private static func grayTable(_ transform: cmsHTRANSFORM) -> [UInt8] {
    let grays = (0...255).map { UInt8($0) }
    var colours = [UInt8](repeating: 0, count: 3 * grays.count)
    cmsDoTransform(transform, grays, &colours, UInt32(grays.count))
    return (0...255).map { colours[3 * $0 + 1] }
  }

  /// Whether colours all over the cube stay what they are.
  private static func changesNothing(_ transform: cmsHTRANSFORM) -> Bool {
    let levels: [UInt8] = [0, 16, 40, 80, 120, 160, 200, 255]
    var colours: [UInt8] = []
    for red in levels {
      for green in levels {
        for blue in levels { colours += [red, green, blue] }
      }
    }
    var changed = [UInt8](repeating: 0, count: colours.count)
    cmsDoTransform(transform, colours, &changed, UInt32(colours.count / 3))
    return zip(colours, changed).allSatisfy { abs(Int($0) - Int($1)) <= tolerance }
  }

  /// A profile of Adobe RGB (1998), sections 4.3.1 and 4.3.4: for pictures that only say so.
  static let adobeRGB: [UInt8] = {
    var white = cmsCIExyY(x: 0.3127, y: 0.3290, Y: 1)
    var primaries = cmsCIExyYTRIPLE(
      Red: cmsCIExyY(x: 0.64, y: 0.33, Y: 1), Green: cmsCIExyY(x: 0.21, y: 0.71, Y: 1),
      Blue: cmsCIExyY(x: 0.15, y: 0.06, Y: 1))
    guard let gamma = cmsBuildGamma(nil, 2.199_218_75) else { return [] }
    defer { cmsFreeToneCurve(gamma) }
    var curves: [OpaquePointer?] = [gamma, gamma, gamma]
    guard let profile = cmsCreateRGBProfile(&white, &primaries, &curves) else { return [] }
    defer { cmsCloseProfile(profile) }
    var count: UInt32 = 0
    guard cmsSaveProfileToMem(profile, nil, &count) != 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    return cmsSaveProfileToMem(profile, &bytes, &count) != 0 ? bytes : []
  }()
}
