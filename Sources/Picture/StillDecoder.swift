import CFFmpeg
import Ingest
import Media
import NIOCore

/// Decodes JPEG stills one by one with FFmpeg's `mjpeg` decoder, full range, as stored: not rotated, and in the colours
/// of its ICC profile, which the frame carries on.
package struct StillDecoder {
  /// A decoder. It keeps nothing from still to still: a codec context that has decoded one picture fills gaps in the
  /// next with that picture's tables and pixels, and making a context takes a few hundredths of a millisecond.
  package init() {}

  /// The picture of one JPEG whose header has been read.
  ///
  /// - Parameter reduction: how often the sides are halved while decoding, 0 to 3, which takes a fraction of time and
  ///   memory: of each 8x8 block only the coarsest 4x4, 2x2 or 1x1 coefficients are transformed. `PictureFilter`
  ///   tells how far that may go; it must be 0 where the header cannot be reduced.
  /// - Throws: `StillRefusal` with FFmpeg's words when the coded data is damaged or of a kind that FFmpeg does not know.
  package func decode(_ jpeg: ByteBuffer, header: JPEGHeader, reduction: Int = 0) throws(StillRefusal) -> Frame {
    do throws(FFmpegError) {
      let context = try Self.open(reduction: reduction)
      try context.send(try Packet.still(jpeg, header: header))
      guard let frame = try context.receiveFrame() else {
        throw FFmpegError(code: FFmpegError.invalidData, call: "avcodec_receive_frame(mjpeg): no picture came out")
      }
      if let profile = header.profile(of: jpeg) { try frame.attach(profile: profile) }
      return frame
    } catch {
      throw FFmpegError.unsupported ~= error
        ? StillRefusal(
          .unsupported, "the decoder does not know this kind of JPEG (\(error)); send 4:2:0, 4:2:2 or 4:4:4")
        : StillRefusal(.corrupt, "the picture does not decode (\(error)); the upload or the camera damaged it")
    }
  }

  static func open(reduction: Int) throws(FFmpegError) -> CodecContext {
    guard let codec = avcodec_find_decoder(AV_CODEC_ID_MJPEG) else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_find_decoder(mjpeg): this FFmpeg has no JPEG decoder")
    }
    let context = try CodecContext(codec: codec)
    // A damaged picture must fail and not come out half gray: the last good picture is better.
    context.pointer.pointee.err_recognition = AV_EF_EXPLODE
    context.pointer.pointee.thread_count = 1
    context.pointer.pointee.lowres = Int32(reduction)
    try context.open()
    return context
  }
}
