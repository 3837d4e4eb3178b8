import CFFmpeg
import Media
import NIOCore

/// A decoded picture: the only owner of an `AVFrame`.
package struct Frame: ~Copyable {
  let pointer: UnsafeMutablePointer<AVFrame>

  /// An empty frame without planes.
  init() throws(FFmpegError) { pointer = try allocated(av_frame_alloc(), "av_frame_alloc") }

  /// A frame with writable planes of its own.
  static func allocate(_ size: PictureSize, format: AVPixelFormat) throws(FFmpegError) -> Frame {
    let frame = try Frame()
    frame.pointer.pointee.width = Int32(size.width)
    frame.pointer.pointee.height = Int32(size.height)
    frame.pointer.pointee.format = format.rawValue
    try checked(av_frame_get_buffer(frame.pointer, 0), "av_frame_get_buffer \(size)")
    return frame
  }

  deinit {
    var pointer: UnsafeMutablePointer<AVFrame>? = pointer
    av_frame_free(&pointer)
  }

  /// Another owner of the same planes; the pixels are shared, not copied.
  package func shared() throws(FFmpegError) -> Frame {
    let copy = try Frame()
    try checked(av_frame_ref(copy.pointer, pointer), "av_frame_ref")
    return copy
  }

  /// The same, for whoever may use it on another thread: planes count their owners atomically, and nobody writes to
  /// those that he shares.
  func handedOver() throws(FFmpegError) -> sending Frame {
    let copy = try Frame()
    // A number, because with a pointer the copy would belong to the same owner.
    let source = UnsafePointer<AVFrame>(bitPattern: UInt(bitPattern: pointer))
    try checked(av_frame_ref(copy.pointer, source), "av_frame_ref")
    return copy
  }

  /// The same picture in planes of its own.
  func copied() throws(FFmpegError) -> Frame {
    let copy = try Frame.allocate(size, format: format)
    try checked(av_frame_copy(copy.pointer, pointer), "av_frame_copy \(size)")
    try checked(av_frame_copy_props(copy.pointer, pointer), "av_frame_copy_props")
    return copy
  }

  /// Whether another frame has the same planes.
  func sharesPlanes(with other: borrowing Frame) -> Bool { pointer.pointee.data.0 == other.pointer.pointee.data.0 }

  /// Width and height in pixels.
  package var size: PictureSize {
    PictureSize(width: Int(pointer.pointee.width), height: Int(pointer.pointee.height))
  }

  var format: AVPixelFormat { AVPixelFormat(pointer.pointee.format) }

  /// Whether the planes are red, green and blue.
  var isRGB: Bool { (av_pix_fmt_desc_get(format)?.pointee.flags ?? 0) & UInt64(AV_PIX_FMT_FLAG_RGB) != 0 }

  /// Moves full range from the format (`yuvj420p` and the like) to the frame's tag: swscale warns of these formats.
  func sayRangeByTag() {
    guard let plain = format.withoutRange else { return }
    pointer.pointee.format = plain.rawValue
    pointer.pointee.color_range = AVCOL_RANGE_JPEG
  }

  /// Says in which colours the pixels are meant, by an ICC profile.
  func attach(profile: [UInt8]) throws(FFmpegError) {
    let data = try allocated(
      av_frame_new_side_data(pointer, AV_FRAME_DATA_ICC_PROFILE, profile.count), "av_frame_new_side_data")
    data.pointee.data.update(from: profile, count: profile.count)
  }

  /// The ICC profile in which the pixels are meant; `nil` for sRGB.
  var profile: UnsafeRawBufferPointer? {
    av_frame_get_side_data(pointer, AV_FRAME_DATA_ICC_PROFILE).map {
      UnsafeRawBufferPointer(start: $0.pointee.data, count: $0.pointee.size)
    }
  }

  /// Forgets the profile: the pixels are sRGB.
  func removeProfile() { av_frame_remove_side_data(pointer, AV_FRAME_DATA_ICC_PROFILE) }

  /// Calls `body` with the rows of one plane's samples: 0 is luma, 1 and 2 are chroma. The planes are valid only inside
  /// `body`.
  package func withPlane<Result>(_ plane: Int, _ body: (_ samples: PlaneView) throws -> Result) rethrows -> Result {
    let shift = av_pix_fmt_desc_get(format).map { (Int($0.pointee.log2_chroma_w), Int($0.pointee.log2_chroma_h)) }
    let (horizontal, vertical) = plane == 0 ? (0, 0) : shift ?? (0, 0)
    let (base, stride) = withUnsafePointer(to: &pointer.pointee) { frame in
      switch plane {
      case 0: (frame.pointee.data.0, frame.pointee.linesize.0)
      case 1: (frame.pointee.data.1, frame.pointee.linesize.1)
      default: (frame.pointee.data.2, frame.pointee.linesize.2)
      }
    }
    return try body(
      PlaneView(
        base: base, stride: Int(stride), width: (size.width + (1 << horizontal) - 1) >> horizontal,
        height: (size.height + (1 << vertical) - 1) >> vertical))
  }
}

extension AVPixelFormat {
  /// The layout of a format that also says full range; `nil` for all others.
  fileprivate var withoutRange: AVPixelFormat? {
    switch self {
    case AV_PIX_FMT_YUVJ420P: AV_PIX_FMT_YUV420P
    case AV_PIX_FMT_YUVJ422P: AV_PIX_FMT_YUV422P
    case AV_PIX_FMT_YUVJ444P: AV_PIX_FMT_YUV444P
    case AV_PIX_FMT_YUVJ440P: AV_PIX_FMT_YUV440P
    case AV_PIX_FMT_YUVJ411P: AV_PIX_FMT_YUV411P
    default: nil
    }
  }
}

/// The 8-bit samples of one plane of a frame, row by row.
package struct PlaneView {
  private let base: UnsafeMutablePointer<UInt8>?
  private let stride: Int
  /// Samples in a row.
  package let width: Int
  /// Rows.
  package let height: Int

  init(base: UnsafeMutablePointer<UInt8>?, stride: Int, width: Int, height: Int) {
    self.base = base
    self.stride = stride
    self.width = base == nil ? 0 : width
    self.height = base == nil ? 0 : height
  }

  /// The samples of one row; `y` must be below `height`.
  package func row(_ y: Int) -> UnsafeMutableBufferPointer<UInt8> {
    precondition((0..<height).contains(y), "row \(y) of a plane of \(height)")
    return UnsafeMutableBufferPointer(start: base! + y * stride, count: width)
  }
}

/// Coded bytes for a codec: the only owner of an `AVPacket`.
struct Packet: ~Copyable {
  let pointer: UnsafeMutablePointer<AVPacket>

  init() throws(FFmpegError) { pointer = try allocated(av_packet_alloc(), "av_packet_alloc") }

  /// A packet with a copy of `bytes`, padded as FFmpeg's readers require.
  static func copy(of buffer: ByteBuffer) throws(FFmpegError) -> Packet {
    try copy(of: buffer, ranges: [0..<buffer.readableBytes])
  }

  /// The same from some pieces of `bytes`, counted from its first readable byte.
  static func copy(of buffer: ByteBuffer, ranges: [Range<Int>]) throws(FFmpegError) -> Packet {
    let packet = try Packet()
    let count = ranges.reduce(0) { $0 + $1.count }
    try checked(av_new_packet(packet.pointer, Int32(count)), "av_new_packet of \(count) bytes")
    let target = UnsafeMutableRawBufferPointer(start: packet.pointer.pointee.data, count: count)
    buffer.withUnsafeReadableBytes { bytes in
      var offset = 0
      for range in ranges {
        UnsafeMutableRawBufferPointer(rebasing: target[offset...])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range]))
        offset += range.count
      }
    }
    return packet
  }

  deinit {
    var pointer: UnsafeMutablePointer<AVPacket>? = pointer
    av_packet_free(&pointer)
  }

  /// The coded bytes; valid as long as the packet.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pointer.pointee.data, count: Int(pointer.pointee.size))
  }
}
