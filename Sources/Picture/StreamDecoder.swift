import CFFmpeg
import Media
import NIOCore

/// Decodes a stream of encoded pictures one by one, as a viewer's player does.
package struct StreamDecoder: ~Copyable {
  private let context: CodecContext

  /// A decoder that waits for an IDR picture.
  package init() throws(FFmpegError) {
    guard let codec = avcodec_find_decoder(AV_CODEC_ID_H264) else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_find_decoder(h264): this FFmpeg has no H.264 decoder")
    }
    let context = try CodecContext(codec: codec)
    context.pointer.pointee.thread_count = 1
    context.pointer.pointee.flags |= AV_CODEC_FLAG_LOW_DELAY
    try context.open()
    self.context = context
  }

  /// The picture of the next access unit; IDR pictures must have their parameter sets.
  package mutating func decode(_ coded: CodedPicture) throws(FFmpegError) -> Frame {
    try decode(try Packet.copy(of: AnnexB.startCoded(coded.bytes)))
  }

  /// Forgets the stream: the next picture is an IDR picture that does not belong to another.
  mutating func flush() { avcodec_flush_buffers(context.pointer) }

  mutating func decode(_ packet: borrowing Packet) throws(FFmpegError) -> Frame {
    try context.send(packet)
    guard let picture = try context.receiveFrame() else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_receive_frame(h264): the decoder held a picture back")
    }
    return picture
  }
}
