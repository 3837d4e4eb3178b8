import CFFmpeg
import Media

extension Frame {
  /// The picture that a camera's stream shows before there is any other: a dim gradient without colour, `yuv420p`,
  /// limited range, which encodes to a few hundred bytes and puts no text or logo into an operator's page.
  package static func slate(size: PictureSize) throws(FFmpegError) -> Frame {
    let frame = try Frame.allocate(size, format: AV_PIX_FMT_YUV420P)
    frame.pointer.pointee.color_range = AVCOL_RANGE_MPEG
    frame.withPlane(0) { luma in
      for y in 0..<luma.height {
        let value = UInt8(72 - 28 * y / max(luma.height, 1))
        luma.row(y).update(repeating: value)
      }
    }
    for plane in 1...2 {
      frame.withPlane(plane) { chroma in
        for y in 0..<chroma.height { chroma.row(y).update(repeating: 128) }
      }
    }
    return frame
  }
}
