import CFFmpeg
import Media

extension Frame {
  /// A picture of RGB bytes, three for each pixel, rows from top to bottom without padding.
  ///
  /// - Precondition: the number of bytes matches the size.
  package static func rgb(_ bytes: [UInt8], size: PictureSize) throws(FFmpegError) -> Frame {
    precondition(bytes.count == 3 * size.pixels, "\(bytes.count) bytes for a picture of \(size)")
    let frame = try Frame.allocate(size, format: AV_PIX_FMT_RGB24)
    frame.pointer.pointee.color_range = AVCOL_RANGE_JPEG
    let (data, stride) = (frame.pointer.pointee.data.0, Int(frame.pointer.pointee.linesize.0))
    bytes.withUnsafeBufferPointer { source in
      for row in 0..<size.height {
        data?.advanced(by: row * stride).update(from: source.baseAddress! + 3 * size.width * row, count: 3 * size.width)
      }
    }
    return frame
  }
}
