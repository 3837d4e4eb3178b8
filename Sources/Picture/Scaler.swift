import CFFmpeg
import Media

/// Converts frames of one shape to another pixel format of the same size and full range: the one owner of a
/// `SwsContext`.
struct Scaler: ~Copyable {
  /// What a scaler was made for.
  struct Input: Equatable {
    let size: PictureSize
    let format: AVPixelFormat
    let isFullRange: Bool
    let isBT709: Bool

    init(_ frame: borrowing Frame) {
      size = frame.size
      format = frame.format
      let isJPEGFormat = [
        AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUVJ411P,
      ]
      .contains(format)
      let isRGB = (av_pix_fmt_desc_get(format)?.pointee.flags ?? 0) & UInt64(AV_PIX_FMT_FLAG_RGB) != 0
      isFullRange = isJPEGFormat || isRGB || frame.pointer.pointee.color_range == AVCOL_RANGE_JPEG
      isBT709 = frame.pointer.pointee.colorspace == AVCOL_SPC_BT709
    }
  }

  private let context: OpaquePointer
  private let size: PictureSize
  private let format: AVPixelFormat

  /// A converter to `format`, full range, BT.601 as JFIF wants it.
  init(from input: Input, to format: AVPixelFormat) throws(FFmpegError) {
    let (width, height) = (Int32(input.size.width), Int32(input.size.height))
    guard
      let context = sws_getContext(
        width, height, input.format, width, height, format, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nil,
        nil, nil)
    else { throw FFmpegError(code: FFmpegError.invalidData, call: "sws_getContext \(input.size) from \(input.format)") }
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
