import CFFmpeg
import Ingest
import Media
import NIOCore

/// Pictures from anything that libavformat and libavdevice open, one after another, with their times.
///
/// Its calls block: use a thread of its own and end it through its `MediaInterrupt`. Step with `advance`, then take the
/// current picture as a JPEG or a frame, as often as needed. A picture that is not taken costs no JPEG encoding, and in
/// a Motion JPEG stream not even decoding.
package struct FrameSource: ~Copyable {
  /// The result of a step.
  package enum Step: Hashable, Sendable {
    /// A picture, this long after the first one.
    case picture(Ticks)
    /// Nothing: a device has no new picture yet. Ask again in a few milliseconds.
    case waiting
    /// The end, after the last picture.
    case end
  }

  /// The source of the pictures.
  package let location: MediaLocation
  /// Whether pictures come at their own time and never end: a device, or a stream without a length.
  package let isLive: Bool

  private let input: MediaInput
  private let stream: Int32
  private let isMotionJPEG: Bool
  private let decoder: CodecContext
  private let packet: Packet
  private let interrupt: MediaInterrupt
  private var encoder: JPEGEncoder
  private var display: DisplayFilter
  /// The decoded picture as a viewer is to see it.
  private var frame: Frame?
  private var decoded: Frame?
  private var isDraining = false
  private var first: Int64?
  private var time = Ticks.zero

  /// Opens `location` and finds its video.
  ///
  /// - Parameters:
  ///   - quality: the JPEG quality of pictures that are not JPEGs yet, 1 to 100 on libjpeg's scale.
  ///   - patience: the longest time for opening, or for waiting for one packet.
  /// - Throws: FFmpeg's error, with the address in the call, without its credentials.
  package init(
    _ location: MediaLocation, interrupt: MediaInterrupt, quality: Int = 75, patience: Ticks = .seconds(10)
  ) throws(FFmpegError) {
    let input = try MediaInput(location, interrupt: interrupt, patience: patience)
    let stream = try input.bestVideoStream()
    let parameters = input.stream(stream).pointee.codecpar!
    let decoder = try Self.decoder(
      of: parameters, timeBase: input.stream(stream).pointee.time_base, location: location)
    let packet = try Packet()
    let hasLength = input.pointer.pointee.duration > 0
    isLive = location.kind == .videoDevice || location.isRemote && !hasLength
    for index in 0..<Int32(input.pointer.pointee.nb_streams) where index != stream {
      input.stream(index).pointee.discard = AVDISCARD_ALL
    }
    isMotionJPEG = parameters.pointee.codec_id == AV_CODEC_ID_MJPEG
    self.packet = packet
    self.location = location
    self.input = input
    self.stream = stream
    self.decoder = decoder
    self.interrupt = interrupt
    encoder = JPEGEncoder(quality: quality)
    display = DisplayFilter()
  }

  private static func decoder(
    of parameters: UnsafeMutablePointer<AVCodecParameters>, timeBase: AVRational, location: MediaLocation
  ) throws(FFmpegError) -> CodecContext {
    guard let codec = avcodec_find_decoder(parameters.pointee.codec_id) else {
      let name = String(cString: avcodec_get_name(parameters.pointee.codec_id))
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_find_decoder \(location): this FFmpeg does not decode \(name)")
    }
    let decoder = try CodecContext(codec: codec)
    try checked(avcodec_parameters_to_context(decoder.pointer, parameters), "avcodec_parameters_to_context \(location)")
    decoder.pointer.pointee.pkt_timebase = timeBase
    decoder.pointer.pointee.thread_count = 1
    try decoder.open()
    return decoder
  }

  /// Steps to the next picture. Damaged packets are skipped.
  ///
  /// - Throws: `FFmpegError.exit` if interrupted, `FFmpegError.timedOut` if nothing came in time, or the input's error.
  ///   After any of them, another `advance` is useless.
  package mutating func advance() throws(FFmpegError) -> Step {
    frame = nil
    decoded = nil
    var damaged = 0
    while true {
      if interrupt.isInterrupted { throw FFmpegError(code: FFmpegError.exit, call: "av_read_frame \(location)") }
      if !isMotionJPEG {
        decoded = try? decoder.receiveFrame()
        if let timestamp = decoded?.pointer.pointee.best_effort_timestamp { return .picture(stamp(timestamp)) }
      }
      if isDraining { return .end }
      do throws(FFmpegError) {
        guard try input.read(into: packet) else { return .waiting }
      } catch  where FFmpegError.endOfFile ~= error {
        isDraining = true
        if isMotionJPEG { return .end }
        avcodec_send_packet(decoder.pointer, nil)
        continue
      }
      guard packet.pointer.pointee.stream_index == stream else { continue }
      if isMotionJPEG {
        guard packet.pointer.pointee.size > 0 else { continue }
        return .picture(stamp(packet.pointer.pointee.pts))
      }
      do throws(FFmpegError) { try decoder.send(packet) } catch {
        damaged += 1
        guard damaged < Self.mostDamaged else { throw error }
      }
    }
  }

  /// How many packets in a row may fail to decode; a stream that is joined between keyframes begins with some.
  private static let mostDamaged = 1000

  /// The picture as a JPEG: the camera's own bytes untouched where they are a whole JPEG that stands upright, else
  /// encoded.
  ///
  /// - Throws: `FFmpegError.invalidData` if this picture is damaged; step to the next one.
  package mutating func jpeg() throws(FFmpegError) -> ByteBuffer {
    if isMotionJPEG, packet.pointer.pointee.size > 0, shape(of: nil).isPlain, let own = Self.wholeJPEG(packet.bytes) {
      return own
    }
    try decodeIfNeeded()
    return try encoder.encode(frame!)
  }

  /// Another owner of the decoded picture, upright and with square pixels.
  ///
  /// - Throws: `FFmpegError.invalidData` when this picture is damaged; step on to the next one.
  package mutating func picture() throws(FFmpegError) -> Frame {
    try decodeIfNeeded()
    return try frame!.shared()
  }

  private mutating func decodeIfNeeded() throws(FFmpegError) {
    if frame != nil { return }
    if decoded == nil {
      guard isMotionJPEG, packet.pointer.pointee.size > 0 else {
        throw FFmpegError(code: FFmpegError.invalidData, call: "picture of \(location): step to a picture first")
      }
      try decoder.send(packet)
      decoded = try decoder.receiveFrame()
    }
    guard let picture = decoded.take() else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "avcodec_receive_frame \(location): no picture came out")
    }
    let shape = shape(of: picture.pointer)
    frame = try display.process(picture, shape)
  }

  /// How the container, or the picture itself, wants it to be shown. A JPEG's own aspect counts for nothing: the
  /// densities in JFIF are what some program left there.
  private func shape(of picture: UnsafeMutablePointer<AVFrame>?) -> DisplayFilter.Shape {
    let info = input.stream(stream)
    var matrix = qc_display_matrix(info)
    if let data = picture.flatMap({ av_frame_get_side_data($0, AV_FRAME_DATA_DISPLAYMATRIX) }),
      data.pointee.size >= 36
    {
      matrix = UnsafeRawPointer(data.pointee.data).assumingMemoryBound(to: Int32.self)
    }
    return DisplayFilter.Shape(
      orientation: matrix.map(Orientation.init(matrix:)) ?? .upright,
      aspect: isMotionJPEG
        ? info.pointee.sample_aspect_ratio : av_guess_sample_aspect_ratio(input.pointer, info, picture))
  }

  /// The time of a picture on the timeline that begins with the first; it never runs back.
  private mutating func stamp(_ timestamp: Int64) -> Ticks {
    let info = input.stream(stream).pointee
    guard timestamp != qc_no_pts() else {
      // Raw streams have no times: count by their rate, or by FFmpeg's usual 25 a second.
      let rate = info.avg_frame_rate.num > 0 ? info.avg_frame_rate : AVRational(num: 25, den: 1)
      if first == nil { first = 0 } else { time.count += Ticks.perSecond * Int64(rate.den) / Int64(rate.num) }
      return time
    }
    if first == nil { first = timestamp }
    let passed = av_rescale_q(timestamp - first!, info.time_base, AVRational(num: 1, den: Int32(Ticks.perSecond)))
    time = max(time, Ticks(passed))
    return time
  }

  /// The bytes up to EOI if they are a complete JPEG; Motion JPEG may leave out its Huffman tables.
  private static func wholeJPEG(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer? {
    let buffer = ByteBuffer(bytes: bytes)
    guard let header = try? JPEGHeader(buffer, maxPixels: .max), header.hasHuffmanTables else { return nil }
    return buffer.getSlice(at: buffer.readerIndex, length: header.length)
  }
}
