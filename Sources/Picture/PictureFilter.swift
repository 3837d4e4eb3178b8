import CFFmpeg
import Media

/// Brings decoded stills to the stream's picture: crop, scale, range and colour, orientation, bars, blur, gray,
/// denoise; one libavfilter graph, made anew when what comes in changes its shape.
public struct PictureFilter: ~Copyable {
  /// The matrix and tags for a picture's height: players that ignore the tags guess by size, and so they guess right.
  static func colorSpace(for size: PictureSize) -> AVColorSpace {
    size.height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M
  }

  private struct Input: Equatable {
    let size: PictureSize
    let format: AVPixelFormat
    let orientation: Orientation
  }

  private let settings: PictureSettings
  private var graph: Optional<FilterGraph>
  private var input: Input?
  private var painter: MaskPainter?

  /// A filter for `settings`; the graph is made when the first picture comes.
  public init(settings: PictureSettings) {
    self.settings = settings
    graph = nil
  }

  /// The size of the pictures that it gives.
  public var size: PictureSize { settings.size }

  /// The stream's picture of one decoded still: `yuv420p`, limited range, of the settings' size.
  public mutating func process(_ frame: consuming Frame, orientation: Orientation) throws(FFmpegError) -> Frame {
    frame.sayRangeByTag()
    let shape = Input(size: frame.size, format: frame.format, orientation: orientation)
    if shape != input {
      let painter = try MaskPainter(settings.masks, size: shape.size, orientation: orientation, format: shape.format)
      graph = try FilterGraph(
        Self.chain(settings, input: shape.size, orientation: orientation), size: shape.size, format: shape.format)
      // Only together: masks laid out for one shape of picture must never be painted on another.
      (self.painter, input) = (painter, shape)
    }
    try painter?.paint(frame)
    let output = try graph!.process(frame)
    // libavfilter lets the still's tags through, and whoever reads the picture goes by them.
    output.pointer.pointee.colorspace = Self.colorSpace(for: settings.size)
    output.pointer.pointee.color_range = AVCOL_RANGE_MPEG
    return output
  }

  /// The chain of filters in libavfilter's own language. Everything up to the turn happens on the stored picture,
  /// whose crop is turned back instead, because libavfilter cannot turn every kind of JPEG.
  static func chain(_ settings: PictureSettings, input: PictureSize, orientation: Orientation) -> String {
    var filters: [String] = []
    let stream = settings.size
    let (left, top, stored) = cropped(settings, input: input, orientation: orientation)
    if stored != input { filters.append("crop=\(stored.width):\(stored.height):\(left):\(top):exact=1") }
    let scaled = settings.fit == .cover ? stream : contained(orientation.displayed(stored), in: stream)
    let target = orientation.displayed(scaled)  // Turning is its own inverse for sizes.
    let matrix = colorSpace(for: stream) == AVCOL_SPC_BT709 ? "bt709" : "smpte170m"
    filters.append(
      "scale=\(target.width):\(target.height):flags=bicubic+accurate_rnd+full_chroma_int"
        + ":in_range=full:out_range=limited:in_color_matrix=smpte170m:out_color_matrix=\(matrix)")
    filters.append("format=yuv420p")
    filters += orientation.filters
    if scaled != stream {
      filters.append("pad=\(stream.width):\(stream.height):(ow-iw)/4*2:(oh-ih)/4*2:black")
    }
    // Next to no smoothing inside a picture (a strength of 0 would mean the default of 4): on a real camera that saves as
    // many bytes to a per cent or three and comes out closer to the scene.
    if settings.denoise > 0 { filters.append("hqdn3d=0.001:0.001:\(settings.denoise):\(settings.denoise)") }
    if settings.blur > 0 { filters.append("gblur=sigma=\(settings.blur)") }
    if settings.isGray { filters.append("lutyuv=u=128:v=128") }
    return filters.joined(separator: ",")
  }

  /// The area of the stored picture that is shown: the settings' crop, and for `cover` the middle of it in the stream's
  /// shape. Cutting before scaling keeps the work small, however long and thin a picture is.
  private static func cropped(
    _ settings: PictureSettings, input: PictureSize, orientation: Orientation
  ) -> (left: Int, top: Int, size: PictureSize) {
    var (left, top, stored) = (0, 0, input)
    if let crop = settings.crop {
      let rect = UnitRect(around: crop.corners.map(orientation.stored))
      left = min(Int((rect.origin.x * Double(input.width)).rounded()), input.width - 1)
      top = min(Int((rect.origin.y * Double(input.height)).rounded()), input.height - 1)
      stored.width = max(1, min(input.width - left, Int((rect.width * Double(input.width)).rounded())))
      stored.height = max(1, min(input.height - top, Int((rect.height * Double(input.height)).rounded())))
    }
    guard settings.fit == .cover else { return (left, top, stored) }
    let shown = orientation.displayed(stored)
    let kept = orientation.displayed(
      PictureSize(
        width: min(shown.width, max(1, rounded(shown.height * settings.size.width, by: settings.size.height))),
        height: min(shown.height, max(1, rounded(shown.width * settings.size.height, by: settings.size.width)))))
    return (left + (stored.width - kept.width) / 2, top + (stored.height - kept.height) / 2, kept)
  }

  /// The even size of a picture with its aspect kept that lies in the stream and touches two of its sides.
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
