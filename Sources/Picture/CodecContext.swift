import CFFmpeg

/// A codec, opened or not yet: the only owner of an `AVCodecContext`.
struct CodecContext: ~Copyable {
  let pointer: UnsafeMutablePointer<AVCodecContext>
  private let name: String

  /// A context for `codec`, to be configured through `pointer` and then opened.
  init(codec: UnsafePointer<AVCodec>) throws(FFmpegError) {
    name = String(cString: codec.pointee.name)
    pointer = try allocated(avcodec_alloc_context3(codec), "avcodec_alloc_context3(\(name))")
  }

  deinit {
    // FFmpeg 5 does not free this one of its matrices with the context; later versions find it gone.
    av_freep(&self.pointer.pointee.chroma_intra_matrix)
    var pointer: UnsafeMutablePointer<AVCodecContext>? = pointer
    avcodec_free_context(&pointer)
  }

  /// Sets one of the codec's private options.
  func set(_ option: String, _ value: String) throws(FFmpegError) {
    try checked(av_opt_set(pointer.pointee.priv_data, option, value, 0), "\(name) option \(option)=\(value)")
  }

  func open() throws(FFmpegError) { try checked(avcodec_open2(pointer, nil, nil), "avcodec_open2(\(name))") }

  /// Sets the highest bit rate, also of an encoder that is open.
  func setHighestRate(_ bits: Int64) { pointer.pointee.rc_max_rate = bits }

  func send(_ packet: borrowing Packet) throws(FFmpegError) {
    try checked(avcodec_send_packet(pointer, packet.pointer), "avcodec_send_packet(\(name))")
  }

  func send(_ frame: borrowing Frame) throws(FFmpegError) {
    try checked(avcodec_send_frame(pointer, frame.pointer), "avcodec_send_frame(\(name))")
  }

  /// The next decoded picture, or `nil` while the decoder wants more input or has reached its end.
  func receiveFrame() throws(FFmpegError) -> Frame? {
    let frame = try Frame()
    let answer = avcodec_receive_frame(pointer, frame.pointer)
    if answer == FFmpegError.again || answer == FFmpegError.endOfFile { return nil }
    try checked(answer, "avcodec_receive_frame(\(name))")
    return frame
  }

  /// The next coded packet, or `nil` while the encoder wants more input or has reached its end.
  func receivePacket() throws(FFmpegError) -> Packet? {
    let packet = try Packet()
    let answer = avcodec_receive_packet(pointer, packet.pointer)
    if answer == FFmpegError.again || answer == FFmpegError.endOfFile { return nil }
    try checked(answer, "avcodec_receive_packet(\(name))")
    return packet
  }
}
