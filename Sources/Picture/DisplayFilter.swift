import CFFmpeg
import Ingest
import Media

/// Brings decoded pictures of a video to what a viewer is to see: upright, with square pixels and in the colours of
/// sRGB. Pictures that are so already go through untouched.
struct DisplayFilter: ~Copyable {
  /// How a container wants its pictures to be shown.
  struct Shape: Equatable {
    /// How they are turned.
    let orientation: Orientation
    private let numerator: Int
    private let denominator: Int

    /// Pixels that are wider or higher than this are nobody's: such an aspect is a mistake.
    private static let mostAspect = 8

    init(orientation: Orientation, aspect: AVRational) {
      self.orientation = orientation
      let (width, height) = (Int(aspect.num), Int(aspect.den))
      let isSound = width > 0 && height > 0 && width <= Self.mostAspect * height && height <= Self.mostAspect * width
      (numerator, denominator) = isSound ? (width, height) : (1, 1)
    }

    /// Whether nothing has to be done.
    var isPlain: Bool { orientation == .upright && numerator == denominator }

    /// The size of a stored picture with square pixels: nothing of it gets smaller, unless it were too large for any
    /// JPEG.
    func square(_ size: PictureSize) -> PictureSize {
      func scaled(_ side: Int, _ by: Int, _ over: Int) -> Int { min(max(1, (side * by + over / 2) / over), 65_500) }
      return numerator > denominator
        ? PictureSize(width: scaled(size.width, numerator, denominator), height: size.height)
        : PictureSize(width: size.width, height: scaled(size.height, denominator, numerator))
    }
  }

  private struct Input: Equatable {
    let size: PictureSize
    let format: AVPixelFormat
    let shape: Shape
  }

  private var graph: Optional<FilterGraph>
  private var input: Input?
  private var scaler: Optional<Scaler>
  private var scalerInput: Scaler.Input?
  private var transform = ColourTransform()

  init() {
    graph = nil
    scaler = nil
  }

  /// The picture as it is to be seen.
  mutating func process(_ frame: consuming Frame, _ shape: Shape) throws(FFmpegError) -> Frame {
    frame.sayRangeByTag()
    let picture = try inStandardColours(frame)
    guard !shape.isPlain else { return picture }
    let input = Input(size: picture.size, format: picture.format, shape: shape)
    if input != self.input {
      self.input = nil
      let size = shape.square(picture.size)
      var filters: [String] = []
      if size != picture.size {
        filters.append("scale=\(size.width):\(size.height):flags=bicubic+accurate_rnd+full_chroma_int")
      }
      filters += shape.orientation.filters
      graph = try FilterGraph(filters.joined(separator: ","), size: picture.size, format: picture.format)
      self.input = input
    }
    return try graph!.process(picture)
  }

  /// The picture itself, or one of RGB where it has an ICC profile that is not that of sRGB.
  private mutating func inStandardColours(_ frame: consuming Frame) throws(FFmpegError) -> Frame {
    guard transform.prepare(for: frame) else {
      frame.removeProfile()
      return frame
    }
    let shape = Scaler.Input(frame)
    if shape != scalerInput {
      scaler = try Scaler(from: shape, to: AV_PIX_FMT_RGB24)
      scalerInput = shape
    }
    let converted = try scaler!.convert(frame)
    transform.apply(to: converted)
    return converted
  }
}
