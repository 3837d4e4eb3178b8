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

  /// The stream's picture of one decoded still: `yuv420p`, limited range, of the settings' size.
  public mutating func process(_ frame: consuming Frame, orientation: Orientation) throws(FFmpegError) -> Frame {
    let shape = Input(size: frame.size, format: frame.format, orientation: orientation)
    if shape != input {
      painter = MaskPainter(settings.masks, size: shape.size, orientation: orientation, format: shape.format)
      graph = try FilterGraph(
        Self.chain(settings, input: shape.size, orientation: orientation), size: shape.size, format: shape.format)
      input = shape
    }
    try painter?.paint(frame)
    return try graph!.process(frame)
  }

  /// The chain of filters in libavfilter's own language. Everything up to the turn happens on the stored picture,
  /// whose crop is turned back instead, because libavfilter cannot turn every kind of JPEG.
  static func chain(_ settings: PictureSettings, input: PictureSize, orientation: Orientation) -> String {
    var filters: [String] = []
    var stored = input
    if let crop = settings.crop {
      let rect = UnitRect(around: crop.corners.map(orientation.stored))
      let left = Int((rect.origin.x * Double(input.width)).rounded())
      let top = Int((rect.origin.y * Double(input.height)).rounded())
      let width = max(1, min(input.width - left, Int((rect.width * Double(input.width)).rounded())))
      let height = max(1, min(input.height - top, Int((rect.height * Double(input.height)).rounded())))
      filters.append("crop=\(width):\(height):\(min(left, input.width - 1)):\(min(top, input.height - 1)):exact=1")
      stored = PictureSize(width: width, height: height)
    }
    let stream = settings.size
    let scaled = fitted(orientation.displayed(stored), into: stream, fit: settings.fit)
    let target = orientation.displayed(scaled)  // Turning is its own inverse for sizes.
    let matrix = colorSpace(for: stream) == AVCOL_SPC_BT709 ? "bt709" : "smpte170m"
    filters.append(
      "scale=\(target.width):\(target.height):flags=bicubic+accurate_rnd+full_chroma_int"
        + ":in_range=full:out_range=limited:in_color_matrix=smpte170m:out_color_matrix=\(matrix)")
    filters.append("format=yuv420p")
    filters += orientation.filters
    if scaled.width > stream.width || scaled.height > stream.height {
      filters.append("crop=\(min(scaled.width, stream.width)):\(min(scaled.height, stream.height))")
    }
    if scaled.width < stream.width || scaled.height < stream.height {
      filters.append("pad=\(stream.width):\(stream.height):(ow-iw)/4*2:(oh-ih)/4*2:black")
    }
    if settings.denoise > 0 { filters.append("hqdn3d=0:0:\(settings.denoise)") }
    if settings.blur > 0 { filters.append("gblur=sigma=\(settings.blur)") }
    if settings.isGray { filters.append("lutyuv=u=128:v=128") }
    return filters.joined(separator: ",")
  }

  /// The even size of a picture with its aspect kept that lies in, or for `cover` lies around, the stream.
  static func fitted(_ picture: PictureSize, into stream: PictureSize, fit: PictureSettings.Fit) -> PictureSize {
    let widthLimits = picture.width * stream.height >= picture.height * stream.width
    if widthLimits == (fit == .contain) {
      return PictureSize(width: stream.width, height: even(stream.width * picture.height, by: picture.width))
    }
    return PictureSize(width: even(stream.height * picture.width, by: picture.height), height: stream.height)
  }

  private static func even(_ dividend: Int, by divisor: Int) -> Int { max(2, (dividend + divisor) / (2 * divisor) * 2) }
}
