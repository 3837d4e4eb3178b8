import CFFmpeg
import Media

/// Converts frames of one shape to another pixel format of the same size and full range: the only owner of a
/// `SwsContext`.
struct Scaler: ~Copyable {
  /// What a scaler was made for.
  struct Input: Equatable, Sendable {
    let size: PictureSize
    let format: AVPixelFormat
    let isFullRange: Bool
    let isBT709: Bool

    /// - Precondition: the frame has its range in its tag (`Frame.sayRangeByTag`).
    init(_ frame: borrowing Frame) {
      size = frame.size
      format = frame.format
      isFullRange = frame.isRGB || frame.pointer.pointee.color_range == AVCOL_RANGE_JPEG
      isBT709 = frame.pointer.pointee.colorspace == AVCOL_SPC_BT709
    }
  }

  private let context: OpaquePointer
  private let size: PictureSize
  private let format: AVPixelFormat

  /// A converter to `format`, full range, BT.601 as in JFIF.
  init(from input: Input, to format: AVPixelFormat) throws(FFmpegError) {
    guard let context = sws_alloc_context() else {
      throw FFmpegError(code: FFmpegError.noMemory, call: "sws_alloc_context")
    }
    // The ranges must be set before the context is made: otherwise it takes equal formats for a plain copy.
    let options: [(String, Int64)] = [
      ("srcw", Int64(input.size.width)), ("srch", Int64(input.size.height)),
      ("src_format", Int64(input.format.rawValue)),
      ("dstw", Int64(input.size.width)), ("dsth", Int64(input.size.height)), ("dst_format", Int64(format.rawValue)),
      ("src_range", input.isFullRange ? 1 : 0), ("dst_range", 1),
      ("sws_flags", Int64(SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT)),
    ]
    do throws(FFmpegError) {
      for (name, value) in options {
        try checked(av_opt_set_int(UnsafeMutableRawPointer(context), name, value, 0), "sws option \(name)=\(value)")
      }
      try checked(
        sws_init_context(context, nil, nil), "sws_init_context \(input.size) from format \(input.format.rawValue)")
    } catch {
      sws_freeContext(context)
      throw error
    }
    let matrix = sws_getCoefficients(input.isBT709 ? SWS_CS_ITU709 : SWS_CS_ITU601)
    sws_setColorspaceDetails(
      context, matrix, input.isFullRange ? 1 : 0, sws_getCoefficients(SWS_CS_ITU601), 1, 0, 1 << 16, 1 << 16)
    self.context = context
    size = input.size
    self.format = format
  }

  deinit { sws_freeContext(context) }

  /// A new frame with the converted picture.
  func convert(_ frame: borrowing Frame) throws(FFmpegError) -> Frame {
    let output = try Frame.allocate(size, format: format)
    try checked(sws_scale_frame(context, output.pointer, frame.pointer), "sws_scale_frame \(size)")
    output.pointer.pointee.color_range = AVCOL_RANGE_JPEG
    return output
  }
}
