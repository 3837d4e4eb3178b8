import CFFmpeg
import Media
import NIOCore

/// Decodes JPEG stills one by one with FFmpeg's `mjpeg` decoder, full range, as stored (not turned).
public struct StillDecoder {
  /// A decoder. It keeps nothing from still to still: a codec context that has seen one picture fills what the next
  /// leaves out with that picture's tables and pixels, and making one takes a few hundredths of a millisecond.
  public init() {}

  /// The picture of one JPEG whose header has been read.
  ///
  /// - Throws: `StillRefusal` with FFmpeg's words when the coded data is damaged or of a kind that FFmpeg does not know.
  public func decode(_ jpeg: ByteBuffer, header: JPEGHeader) throws(StillRefusal) -> Frame {
    do throws(FFmpegError) {
      let context = try Self.open()
      try context.send(try Packet.copy(of: header.withoutMetadata(jpeg)))
      guard let frame = try context.receiveFrame() else {
        throw FFmpegError(code: FFmpegError.invalidData, call: "avcodec_receive_frame(mjpeg): no picture came out")
      }
      return frame
    } catch {
      throw FFmpegError.unsupported ~= error
        ? StillRefusal(
          .unsupported, "the decoder does not know this kind of JPEG (\(error)); send 4:2:0, 4:2:2 or 4:4:4")
        : StillRefusal(.corrupt, "the picture does not decode (\(error)); the upload or the camera damaged it")
    }
  }

  private static func open() throws(FFmpegError) -> CodecContext {
    guard let codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG) else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_find_decoder(mjpeg): this FFmpeg has no JPEG decoder")
    }
    let context = try CodecContext(codec: codec)
    // A damaged picture must fail, not come out half gray: the last good picture is better.
    context.pointer.pointee.err_recognition = AV_EF_EXPLODE
    context.pointer.pointee.thread_count = 1
    try context.open()
    return context
  }
}
