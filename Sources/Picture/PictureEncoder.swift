import CFFmpeg
import Media
import NIOCore

/// Codes pictures on a steady grid as H.264 with libx264: one access unit for each picture, at once, no B pictures.
///
/// Whoever feeds it says which pictures are IDR pictures and which only repeat the one before; nothing else is ever
/// an IDR picture.
public struct PictureEncoder: ~Copyable {
  /// What one picture is to the one before it.
  public enum Role: Sendable {
    /// A picture that decodes by itself.
    case idr
    /// A new picture.
    case new
    /// The picture before once more, coded in a few bytes.
    case repeated
  }

  private let context: CodecContext
  private var sent: Int64 = 0
  /// The parameter sets; they stand before each IDR picture too. `nil` until the first picture is coded.
  public private(set) var parameterSets: ParameterSets?

  /// An opened encoder.
  ///
  /// - Parameters:
  ///   - size: of every picture; both sides even.
  ///   - step: the time from one picture to the next.
  ///   - rateWindow: the length over which the highest bit rate is held, normally one segment.
  public init(
    settings: EncoderSettings, size: PictureSize, step: Ticks, rateWindow: Ticks
  ) throws(FFmpegError) {
    guard let codec = avcodec_find_encoder_by_name("libx264") else {
      throw FFmpegError(
        code: FFmpegError.invalidData,
        call: "avcodec_find_encoder_by_name(libx264): this FFmpeg has no x264; install one that has")
    }
    let context = try CodecContext(codec: codec)
    let pointer = context.pointer
    pointer.pointee.width = Int32(size.width)
    pointer.pointee.height = Int32(size.height)
    pointer.pointee.pix_fmt = AV_PIX_FMT_YUV420P
    var (num, den): (Int32, Int32) = (0, 0)
    av_reduce(&num, &den, step.count, Ticks.perSecond, Int64(Int32.max))
    pointer.pointee.time_base = AVRational(num: num, den: den)
    pointer.pointee.framerate = AVRational(num: den, den: num)
    pointer.pointee.thread_count = 1  // One slice a picture; cameras, not pictures, are spread over the cores.
    pointer.pointee.max_b_frames = 0
    pointer.pointee.gop_size = Int32.max
    let kilobits = Int64(settings.kilobits(for: size))
    pointer.pointee.rc_max_rate = kilobits * 1000
    pointer.pointee.rc_buffer_size = Int32(clamping: kilobits * 1000 * rateWindow.count / Ticks.perSecond)
    pointer.pointee.color_range = AVCOL_RANGE_MPEG
    pointer.pointee.colorspace = PictureFilter.colorSpace(for: size)
    pointer.pointee.color_primaries = AVCOL_PRI_BT709
    pointer.pointee.color_trc = AVCOL_TRC_BT709
    pointer.pointee.chroma_sample_location = AVCHROMA_LOC_LEFT
    try context.set("preset", settings.preset.rawValue)
    try context.set("tune", "zerolatency")
    try context.set("crf", "\(settings.crf)")
    try context.set("forced-idr", "1")
    try context.set("aq-mode", "1")  // Regions of interest, which repeats are coded by, need it in every preset.
    try context.set(
      "x264-params", "annexb=1:repeat-headers=1:sliced-threads=0:scenecut=0:keyint=infinite:ref=1")
    try context.open()
    self.context = context
  }

  /// The access unit of one picture.
  ///
  /// The first picture must be an IDR picture. `picture` is not changed for its other owners.
  public mutating func encode(_ picture: borrowing Frame, as role: Role) throws(FFmpegError) -> CodedPicture {
    let frame = try picture.shared()
    frame.pointer.pointee.pts = sent
    frame.pointer.pointee.pict_type = role == .idr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    av_frame_remove_side_data(frame.pointer, AV_FRAME_DATA_REGIONS_OF_INTEREST)
    if role == .repeated { try markAsSkip(frame) }
    try context.send(frame)
    guard let packet = try context.receivePacket() else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_receive_packet(libx264): the encoder held a picture back")
    }
    sent += 1
    if parameterSets == nil { parameterSets = ParameterSets(annexB: packet.bytes) }
    return CodedPicture(
      bytes: AnnexB.lengthPrefixed(packet.bytes), isIDR: packet.pointer.pointee.flags & AV_PKT_FLAG_KEY != 0)
  }

  /// Asks for the coarsest quantizer over the whole picture: x264 then codes every macroblock of a repeated picture
  /// as skipped, where it would otherwise spend kilobytes on refining it.
  private func markAsSkip(_ frame: borrowing Frame) throws(FFmpegError) {
    let bytes = MemoryLayout<AVRegionOfInterest>.size
    guard let data = av_frame_new_side_data(frame.pointer, AV_FRAME_DATA_REGIONS_OF_INTEREST, bytes) else {
      throw FFmpegError(code: FFmpegError.noMemory, call: "av_frame_new_side_data")
    }
    let size = frame.size
    let region = AVRegionOfInterest(
      self_size: UInt32(bytes), top: 0, bottom: Int32(size.height), left: 0, right: Int32(size.width),
      qoffset: AVRational(num: 1, den: 1))
    UnsafeMutableRawPointer(data.pointee.data).storeBytes(of: region, as: AVRegionOfInterest.self)
  }
}
