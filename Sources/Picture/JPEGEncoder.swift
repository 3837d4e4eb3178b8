import CFFmpeg
import Media
import NIOCore

/// Encodes pictures as baseline JPEG, full range, 4:2:0, without any metadata.
package struct JPEGEncoder: ~Copyable {
  private let quality: Int
  private var context: CodecContext?
  private var scaler: Scaler?
  private var input: Scaler.Input?

  /// An encoder with a quality of 1 to 100 on the scale of libjpeg, which nearly every camera and program uses.
  package init(quality: Int) { self.quality = min(max(quality, 1), 100) }

  /// One JPEG picture of the frame, in the frame's own size.
  package mutating func encode(_ picture: borrowing Frame) throws(FFmpegError) -> ByteBuffer {
    let picture = try picture.shared()
    picture.sayRangeByTag()
    let shape = Scaler.Input(picture)
    if shape != input {
      scaler = try Scaler(from: shape, to: AV_PIX_FMT_YUV420P)
      context = try Self.open(size: shape.size, quality: quality)
      input = shape
    }
    let frame = try scaler!.convert(picture)
    frame.pointer.pointee.quality = Self.scale * FF_QP2LAMBDA
    frame.pointer.pointee.pict_type = AV_PICTURE_TYPE_I
    try context!.send(frame)
    guard let packet = try context!.receivePacket() else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "avcodec_receive_packet(mjpeg): no picture came out")
    }
    return .fitting(packet.bytes)
  }

  /// FFmpeg's quantizer scale at which its matrices are used unchanged.
  private static let scale: Int32 = 8

  private static func open(size: PictureSize, quality: Int) throws(FFmpegError) -> CodecContext {
    guard let codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG) else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_find_encoder(mjpeg): this FFmpeg has no JPEG encoder")
    }
    let context = try CodecContext(codec: codec)
    let pointer = context.pointer
    pointer.pointee.width = Int32(size.width)
    pointer.pointee.height = Int32(size.height)
    pointer.pointee.pix_fmt = AV_PIX_FMT_YUV420P
    pointer.pointee.color_range = AVCOL_RANGE_JPEG
    pointer.pointee.time_base = AVRational(num: 1, den: 1)
    pointer.pointee.thread_count = 1
    // "Bit exact" keeps FFmpeg's version out of the file.
    pointer.pointee.flags |= AV_CODEC_FLAG_QSCALE | Int32(AV_CODEC_FLAG_BITEXACT)
    pointer.pointee.global_quality = scale * FF_QP2LAMBDA
    pointer.pointee.qmin = 1
    pointer.pointee.intra_matrix = try matrix(luminance, quality: quality)
    pointer.pointee.chroma_intra_matrix = try matrix(chrominance, quality: quality)
    try context.open()
    return context
  }

  /// A table of ITU-T T.81 annex K, scaled as in libjpeg, in memory that the codec context frees.
  private static func matrix(_ table: [UInt16], quality: Int) throws(FFmpegError) -> UnsafeMutablePointer<UInt16> {
    guard let memory = av_malloc(64 * MemoryLayout<UInt16>.size) else {
      throw FFmpegError(code: FFmpegError.noMemory, call: "av_malloc")
    }
    let factor = quality < 50 ? 5000 / quality : 200 - 2 * quality
    let matrix = memory.bindMemory(to: UInt16.self, capacity: 64)
    for (index, entry) in table.enumerated() {
      matrix[index] = UInt16(min(max((Int(entry) * factor + 50) / 100, 1), 255))
    }
    return matrix
  }

  /// ITU-T T.81, table K.1.
  private static let luminance: [UInt16] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
  ]

  /// ITU-T T.81, table K.2.
  private static let chrominance: [UInt16] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  ]
}
