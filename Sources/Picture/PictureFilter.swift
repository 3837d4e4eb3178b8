import CFFmpeg
import Ingest
import Media

/// Brings decoded stills to the stream's picture: crop, scale, range and colour, orientation, bars, denoise, blur, gray,
/// by libavfilter. A still with an ICC profile is brought to sRGB at the size that it has in the stream.
///
/// Only what denoises knows the pictures before, so only that graph is the camera's own; it begins anew when what comes
/// in changes its shape.
package struct PictureFilter: ~Copyable {
  /// The matrix and tags for a picture's height: players that ignore the tags guess by size, and this makes their guess
  /// right.
  static func colorSpace(for size: PictureSize) -> AVColorSpace {
    size.height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M
  }

  private struct Input: Equatable {
    let size: PictureSize
    let format: AVPixelFormat
    let orientation: Orientation
    /// The side of a decoder's block in this picture's samples if its pixels were mixed, otherwise 1.
    let cell: Int
    /// Whether its colours are not those of sRGB.
    let isForeign: Bool
  }

  /// What libavfilter does to a still, in its own language.
  private struct Chains {
    /// From a still to the stream's size and colours, or to RGB of that size where its colours are not those of sRGB.
    let first: String
    /// From there to the stream's colours; `nil` where they are so already.
    let second: String?
    /// After the denoising; `nil` for nothing.
    let last: String?
  }

  private let settings: PictureSettings
  private let filters: SharedFilters
  private var chains: Chains?
  private var denoiser: Optional<FilterGraph>
  private var transform = ColourTransform()
  private var input: Input?
  private var painter: MaskPainter?

  /// A filter for `settings`, which shares what it can with those of other cameras.
  package init(settings: PictureSettings) { self.init(settings: settings, filters: SharedWorkers.filters) }

  /// A filter that uses these graphs.
  init(settings: PictureSettings, filters: SharedFilters) {
    (self.settings, self.filters) = (settings, filters)
    denoiser = nil
  }

  /// The size of its pictures.
  package var size: PictureSize { settings.size }

  /// How often the sides of a still can be halved while it is decoded without harm to the stream's picture: what is
  /// shown stays at least half as large again as in the stream. (Down to the exact size, the SSIM with the full decode
  /// falls from 0.999 to 0.995, and almost no time is gained.)
  package func reduction(of header: JPEGHeader) -> Int {
    guard header.mayBeReduced else { return 0 }
    for reduction in (1...3).reversed() {
      let (half, cell) = ((1 << reduction) - 1, 8 >> reduction)
      let size = PictureSize(
        width: (header.size.width + half) >> reduction, height: (header.size.height + half) >> reduction)
      // Chroma can be subsampled, and its blocks are twice as large in pixels.
      let (_, _, stored) = Self.cropped(settings, input: size, orientation: header.orientation, unit: 2 * cell)
      let target = Self.scaled(settings, stored: stored, orientation: header.orientation).target
      if 2 * stored.width >= 3 * target.width, 2 * stored.height >= 3 * target.height { return reduction }
    }
    return 0
  }

  /// The stream's picture of one decoded still: `yuv420p`, limited range, of the settings' size.
  ///
  /// - Parameter reduction: the one that it was decoded with.
  package mutating func process(
    _ frame: consuming Frame, orientation: Orientation, reduction: Int = 0
  ) throws(FFmpegError) -> Frame {
    frame.sayRangeByTag()
    let cell = reduction > 0 ? 8 >> reduction : 1
    let isForeign = transform.prepare(for: frame)
    let shape = Input(
      size: frame.size, format: frame.format, orientation: orientation, cell: cell, isForeign: isForeign)
    if shape != input {
      let painter = try MaskPainter(
        settings.masks, size: shape.size, orientation: orientation, format: shape.format, cell: cell)
      let unit = reduction > 0 ? 2 * cell : 1
      input = nil
      // A graph for an earlier size of photos holds as much memory as one, and is hardly wanted again.
      if !filters.isShared { filters.forget() }
      chains = Self.chains(
        settings, input: shape.size, orientation: orientation, unit: unit, isForeign: isForeign)
      denoiser = try Self.denoiser(settings)
      // Only together: masks prepared for one shape of picture must never be painted on another.
      (self.painter, input) = (painter, shape)
    }
    try painter?.paint(frame)
    guard let chains else { preconditionFailure("a picture without its chains") }
    var output = try filters.process(frame, by: chains.first)
    if let second = chains.second {
      try checked(av_frame_make_writable(output.pointer), "av_frame_make_writable")
      transform.apply(to: output)
      output = try filters.process(output, by: second)
    }
    if denoiser != nil { output = try denoiser!.process(inPlace: output) }
    if let last = chains.last { output = try filters.process(output, by: last) }
    // libavfilter passes the still's tags through, and readers of the picture use them.
    output.removeProfile()
    output.pointer.pointee.colorspace = Self.colorSpace(for: settings.size)
    output.pointer.pointee.color_range = AVCOL_RANGE_MPEG
    // A graph keeps the memory of as many pictures as were ever kept at once of those that it made.
    return filters.isShared ? try output.copied() : output
  }

  /// Everything up to the turn happens on the stored picture, whose crop is turned back instead, because libavfilter
  /// cannot turn every kind of JPEG.
  ///
  /// - Parameter unit: the side of the decoder's blocks in pixels if the pixels of each were mixed, otherwise 1.
  private static func chains(
    _ settings: PictureSettings, input: PictureSize, orientation: Orientation, unit: Int, isForeign: Bool
  ) -> Chains {
    let stream = settings.size
    let (left, top, stored) = cropped(settings, input: input, orientation: orientation, unit: unit)
    let crop = stored == input ? [] : ["crop=\(stored.width):\(stored.height):\(left):\(top):exact=1"]
    let (scaled, target) = scaled(settings, stored: stored, orientation: orientation)
    let matrix = colorSpace(for: stream) == AVCOL_SPC_BT709 ? "bt709" : "smpte170m"
    let scale = "scale=\(target.width):\(target.height):flags=bicubic+accurate_rnd+full_chroma_int"
    let (read, write) = (
      ":in_range=full:in_color_matrix=smpte170m", ":out_range=limited:out_color_matrix=\(matrix)"
    )
    var turn = orientation.filters
    if scaled != stream {
      turn.append("pad=\(stream.width):\(stream.height):(ow-iw)/4*2:(oh-ih)/4*2:black")
    }
    var last: [String] = []
    if settings.blur > 0 { last.append("gblur=sigma=\(settings.blur)") }
    if settings.isGray { last.append("lutyuv=u=128:v=128") }
    let first = isForeign ? [scale + read, "format=rgb24"] : [scale + read + write, "format=yuv420p"] + turn
    let second = [scale + ":in_range=full" + write, "format=yuv420p"] + turn
    return Chains(
      first: (crop + first).joined(separator: ","), second: isForeign ? second.joined(separator: ",") : nil,
      last: last.isEmpty ? nil : last.joined(separator: ","))
  }

  /// What takes the noise out of the pictures of a stream; `nil` for nothing.
  private static func denoiser(_ settings: PictureSettings) throws(FFmpegError) -> FilterGraph? {
    guard settings.denoise > 0 else { return nil }
    // Almost no smoothing inside a picture (a strength of 0 would mean the default of 4): on a real camera this saves
    // nearly as many bytes, within one to three per cent, and is closer to the scene.
    return try FilterGraph(
      "hqdn3d=0.001:0.001:\(settings.denoise):\(settings.denoise)", size: settings.size, format: AV_PIX_FMT_YUV420P)
  }

  /// The upright size of what is shown of a still, in its own pixels and in those of the stream, without bars.
  static func shown(
    _ settings: PictureSettings, input: PictureSize, orientation: Orientation
  ) -> (still: PictureSize, stream: PictureSize) {
    let stored = cropped(settings, input: input, orientation: orientation, unit: 1).size
    return (orientation.displayed(stored), scaled(settings, stored: stored, orientation: orientation).shown)
  }

  /// The area of the stored picture that is shown: the settings' crop, and for `cover` its middle in the stream's
  /// shape. Cropping before scaling keeps the work small, however long and thin a picture is.
  private static func cropped(
    _ settings: PictureSettings, input: PictureSize, orientation: Orientation, unit: Int
  ) -> (left: Int, top: Int, size: PictureSize) {
    var (left, top, stored) = (0, 0, input)
    if let crop = settings.crop {
      let rect = UnitRect(around: crop.corners.map(orientation.stored))
      left = min(Int((rect.origin.x * Double(input.width)).rounded()), input.width - 1)
      top = min(Int((rect.origin.y * Double(input.height)).rounded()), input.height - 1)
      stored.width = max(1, min(input.width - left, Int((rect.width * Double(input.width)).rounded())))
      stored.height = max(1, min(input.height - top, Int((rect.height * Double(input.height)).rounded())))
      (left, stored.width) = inside(left, stored.width, of: input.width, unit)
      (top, stored.height) = inside(top, stored.height, of: input.height, unit)
    }
    guard settings.fit == .cover else { return (left, top, stored) }
    let shown = orientation.displayed(stored)
    let kept = orientation.displayed(
      PictureSize(
        width: min(shown.width, max(1, rounded(shown.height * settings.size.width, by: settings.size.height))),
        height: min(shown.height, max(1, rounded(shown.width * settings.size.height, by: settings.size.width)))))
    return (left + (stored.width - kept.width) / 2, top + (stored.height - kept.height) / 2, kept)
  }

  /// The whole blocks of a range, so that nothing outside the crop is mixed into it; the range itself if there are
  /// none.
  private static func inside(_ start: Int, _ count: Int, of all: Int, _ unit: Int) -> (start: Int, count: Int) {
    let first = (start + unit - 1) / unit * unit
    let end = start + count == all ? all : (start + count) / unit * unit
    return first < end ? (first, end - first) : (start, count)
  }

  /// The size of the picture in the stream, upright and as stored.
  private static func scaled(
    _ settings: PictureSettings, stored: PictureSize, orientation: Orientation
  ) -> (shown: PictureSize, target: PictureSize) {
    let shown = settings.fit == .cover ? settings.size : contained(orientation.displayed(stored), in: settings.size)
    return (shown, orientation.displayed(shown))  // For sizes, rotation is its own inverse.
  }

  /// The even size of a picture, with its aspect, that fits into the stream and touches two of its sides.
  private static func contained(_ picture: PictureSize, in stream: PictureSize) -> PictureSize {
    if picture.width * stream.height >= picture.height * stream.width {
      return PictureSize(
        width: stream.width, height: max(2, rounded(stream.width * picture.height, by: 2 * picture.width) * 2))
    }
    return PictureSize(
      width: max(2, rounded(stream.height * picture.width, by: 2 * picture.height) * 2), height: stream.height)
  }

  private static func rounded(_ dividend: Int, by divisor: Int) -> Int { (dividend + divisor / 2) / divisor }
}
