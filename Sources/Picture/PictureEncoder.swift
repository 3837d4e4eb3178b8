import CFFmpeg
import Media
import NIOCore

/// Encodes pictures on a steady grid as H.264 with libx264: one access unit for each picture, at once, without B
/// pictures.
///
/// The caller says which pictures are IDR pictures and which only repeat the one before; no other picture is an IDR
/// picture, except for the first after `release`.
///
/// A picture that is repeated is not given to libx264: it is written here (`SkippedPicture`), and nothing refers to it. So
/// all pictures that libx264 searches differ, and it goes on from its last one as if there were no repeats.
package struct PictureEncoder: ~Copyable {
  /// The relation of a picture to the one before.
  package enum Role: Sendable {
    /// A picture that decodes without others.
    case idr
    /// A new picture.
    case new
    /// The previous picture again, coded in a few bytes.
    case repeated
  }

  /// How often an IDR picture is encoded at most until it reaches the target.
  private static let trials = 3
  /// Offsets are counted in half quantizer steps; this many are the whole range (a `qoffset` of 1).
  private static let fullOffset: Int32 = 102

  private let settings: EncoderSettings
  private let size: PictureSize
  private let step: Ticks
  private let rateWindow: Ticks
  /// `nil` while only repeats are needed; it takes most of a camera's memory.
  private var context: CodecContext?
  private let stepsPerSegment: Int
  private var motion: Optional<MotionMap>
  private var aim: SSIMTarget?
  private var reconstruction: (any ReconstructionMeter)?
  private var sent: Int64 = 0
  private var sinceIDR = 0
  private var sinceNew = 0
  /// The recent number of pictures from one new picture to the next, in 256ths. In whole pictures it would stay where it
  /// was before, and what an encoder has seen long ago would show in its choices.
  private(set) var interval = 4 << 8
  /// The parameter sets, which also come before each IDR picture. `nil` until the first picture is encoded.
  package private(set) var parameterSets: ParameterSets?

  private var ordering: PictureOrdering?
  private var skipped: SkippedPicture?
  private var syntax: SliceSyntax?
  /// The place of the newest picture among those since the IDR picture.
  private var order = 0
  /// Pictures since the newest that libx264 has encoded, and that one's `frame_num`.
  private var distance = 0
  private var frameNumber = 0
  /// The picture that the IDR picture shows and that IDR picture, while libx264 has encoded nothing after it.
  private var standing: Optional<Frame>
  private var standingIDR: CodedPicture?
  /// The `idr_pic_id` of the next IDR picture. The extra one after `release`, which can stand just before that of the next
  /// segment, has another than all others: adjacent ones must differ (ITU-T H.264, section 7.4.3).
  private var idrPictureID = 0
  /// The parameter sets of the stream, where they are given, and what brings the encoder's pictures into their form.
  private let published: ParameterSets?
  private var rewriter: ReferenceRewriter?
  /// Whether there is too little time: an IDR picture is then encoded once, and what is learnt of it is for the pictures
  /// after it.
  package var isHurried = false

  /// An opened encoder.
  ///
  /// - Parameters:
  ///   - size: of every picture; both sides even.
  ///   - step: the time from one picture to the next.
  ///   - rateWindow: the time over which the highest bit rate is averaged, normally one segment.
  ///   - published: the stream's parameter sets, where this encoder continues one that another has begun. Pictures that
  ///     do not fit to them are refused.
  package init(
    settings: EncoderSettings, size: PictureSize, step: Ticks, rateWindow: Ticks, published: ParameterSets? = nil
  ) throws(FFmpegError) {
    (self.settings, self.size, self.step, self.rateWindow) = (settings, size, step, rateWindow)
    self.published = published
    context = nil
    reconstruction = nil
    standing = nil
    stepsPerSegment = max(1, Int(rateWindow.floorDivided(by: step)))
    motion = MotionMap(size: size)
    aim = settings.ssim > 0 ? SSIMTarget(similarity: Double(settings.ssim) / 1000) : nil
    try open()
  }

  /// Opens libx264, and what looks at its pictures.
  private mutating func open() throws(FFmpegError) {
    guard settings.ssim > 0 else { return context = try openCodec(writingTo: nil) }
    if let file = PictureFile(size: size) {
      do throws(FFmpegError) {
        context = try openCodec(writingTo: file.path)
        return reconstruction = WrittenReconstruction(file)
      } catch {
        // If the file is not the reason, the next attempt fails too.
      }
    }
    context = try openCodec(writingTo: nil)
    reconstruction = try DecodedReconstruction()
  }

  private func openCodec(writingTo path: String?) throws(FFmpegError) -> CodecContext {
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
    pointer.pointee.thread_count = 1  // One slice in each picture: cameras, not pictures, are spread over the cores.
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
    try context.set("aq-mode", "1")  // Regions of interest need this in every preset.
    // With qcomp and ipratio at 1, the offsets alone decide the quantizer. x264's own choice depends on the duration of
    // pictures and is eight steps off at two a second. Trellis quantization for all trials of a macroblock (`slow`) takes
    // a third of the time and saves four per cent of the bytes.
    //
    // Where the light changes, pictures without weighted prediction take up to 1.6 times as much. But the kind that the
    // slow presets have also searches a darker copy of a reference, which takes 0.4 MB and saves under one per cent.
    try context.set(
      "x264-params",
      "annexb=1:repeat-headers=1:sliced-threads=0:scenecut=0:keyint=infinite"
        + ":ref=\(settings.searched(for: size)):\(bounds)"
        + ":qcomp=1:ipratio=1:no-psy=1:nr=200:aq-strength=1.2:mvrange=\(Self.motionRange(for: size))"
        + (settings.preset < .medium ? "" : ":weightp=1")
        + (settings.preset == .slow ? ":trellis=1" : "") + (path.map { ":dump-yuv=\($0)" } ?? ""))
    try context.open()
    return context
  }

  /// The farthest motion from picture to picture, in pixels: about a sixth of the width, as of a camera that turns slowly.
  /// libx264's tables for 96 pixels take 0.2 MB, and for its own range of 256 or 512 more than twice or five times that.
  private static func motionRange(for size: PictureSize) -> Int { min(max(64, size.width * 3 / 20), 512) }

  /// How many pictures libx264 keeps, each some 2 MB for 640x480. Where its pictures are brought into the form of another
  /// stream, no more than it searches are needed; its sets must then name that one's level.
  var bounds: String {
    let all = settings.references(for: size)
    // With more than 14, pictures are numbered in more bits.
    guard let published, all <= 14, settings.searched(for: size) < all else { return "dpb-size=\(all)" }
    return "dpb-size=\(settings.searched(for: size)):level=\(published.level)"
  }

  /// The access unit of one picture.
  ///
  /// The first picture must be an IDR picture. Other owners of `picture` see no change.
  package mutating func encode(_ picture: borrowing Frame, as role: Role) throws(FFmpegError) -> CodedPicture {
    if role == .repeated, let skipped, let ordering, distance < ordering.mostDistance {
      (order, distance, sinceIDR, sinceNew) = (order + 1, distance + 1, sinceIDR + 1, sinceNew + 1)
      return skipped.picture(frameNumber: frameNumber + 1, order: order)
    }
    if role == .idr, let again = standingIDR(of: picture) {
      // libx264 stands at the same picture, so it can go on from this one as from that.
      (order, distance, sinceIDR, sinceNew) = (0, 0, 1, sinceNew + 1)
      return again
    }
    var role = role
    if context == nil {
      try open()
      idrPictureID = role == .idr ? 0 : 1
      (role, sent) = (.idr, 0)
    }
    defer { idrPictureID = 0 }
    return try encodeNow(picture, as: role)
  }

  private mutating func encodeNow(_ picture: borrowing Frame, as role: Role) throws(FFmpegError) -> CodedPicture {
    standing = nil
    standingIDR = nil
    if role != .repeated { try prepare(picture, as: role) }
    setRate(pictures: distance + 1)
    var packet = try code(picture, as: role)
    if aim != nil {
      var similarity = try reconstruction!.see(packet, of: picture, as: role)
      if role == .idr {
        var trial = 1
        setRate(pictures: 1)
        while trial < Self.trials, aim!.judge(idr: similarity!), !isHurried {
          packet = try code(picture, as: role)
          similarity = try reconstruction!.see(packet, of: picture, as: role)
          trial += 1
        }
      }
      if let similarity { aim!.saw(similarity, isIDR: role == .idr) }
    }
    sinceIDR += 1
    sinceNew += 1
    if parameterSets == nil, let own = ParameterSets(annexB: packet.bytes) {
      ordering = PictureOrdering(own, pictures: stepsPerSegment)
      skipped = ordering.flatMap { SkippedPicture($0.syntax) }
      parameterSets = ordering?.parameterSets ?? own
      // Two IDR pictures in a row must have different identifiers.
      syntax = stepsPerSegment > 1 ? SliceSyntax(own) : nil
      try adopt()
    }
    let coded = CodedPicture(
      bytes: AnnexB.lengthPrefixed(packet.bytes), isIDR: packet.pointer.pointee.flags & AV_PKT_FLAG_KEY != 0)
    return try placed(coded, of: picture)
  }

  /// Gives a picture of libx264 its place in the stream.
  private mutating func placed(
    _ coded: CodedPicture, of picture: borrowing Frame
  ) throws(FFmpegError) -> CodedPicture {
    guard let ordering else { return syntax?.writing(idrPictureID: idrPictureID, in: coded) ?? coded }
    order = coded.isIDR ? 0 : order + 1
    distance = 0
    let id = stepsPerSegment > 1 ? idrPictureID : nil
    guard let placed = ordering.ordered(coded, order: order, idrPictureID: id) else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "libx264 made a slice whose header cannot be read")
    }
    frameNumber = placed.frameNumber
    guard let fitting = rewriter == nil ? placed.picture : rewriter?.rewritten(placed.picture) else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "libx264 made a slice that cannot be read")
    }
    if coded.isIDR, stepsPerSegment > 1 {
      standing = try picture.shared()
      // Where it comes again, it begins a segment.
      standingIDR =
        idrPictureID == 0
        ? fitting : parameterSets.flatMap { SliceSyntax($0) }?.writing(idrPictureID: 0, in: fitting)
    }
    return fitting
  }

  /// The IDR picture of this very picture, if libx264 has encoded nothing after it.
  private mutating func standingIDR(of picture: borrowing Frame) -> CodedPicture? {
    // The frame is kept, so no other can have its planes.
    guard let standingIDR, standing!.sharesPlanes(with: picture) else { return nil }
    return standingIDR
  }

  /// Lets libx264 fill its rate buffer for the time of so many pictures: it does not see those that are repeated.
  private mutating func setRate(pictures count: Int) {
    let kilobits = Int64(settings.kilobits(for: size))
    context!.setHighestRate(kilobits * 1000 * Int64(min(max(1, count), stepsPerSegment)))
  }

  // MARK: Memory

  /// Gives back the memory that only new pictures need. Repeats, and the same IDR picture again, need none of it; the
  /// next new picture is an IDR picture.
  package mutating func release() {
    guard skipped != nil else { return }
    context = nil
    reconstruction = nil
  }

  /// Brings the pictures into the form of the stream that they continue.
  private mutating func adopt() throws(FFmpegError) {
    guard let published, let own = parameterSets, own != published else { return }
    rewriter = ReferenceRewriter(from: own, to: published)
    guard rewriter != nil else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "libx264 makes another stream with these settings than before")
    }
    parameterSets = published
    skipped = SliceSyntax(published).flatMap(SkippedPicture.init)
  }

  /// Goes on with what another encoder of the same pictures has learnt of them; that one is not used any more.
  package mutating func takeLearning(of other: inout PictureEncoder) {
    swap(&motion, &other.motion)
    (interval, sinceNew) = (other.interval, other.sinceNew)
    if aim != nil, other.aim != nil { aim = other.aim }
  }

  /// Analyses a picture before it is encoded.
  private mutating func prepare(_ picture: borrowing Frame, as role: Role) throws(FFmpegError) {
    if role == .idr {
      sinceIDR = 0
      aim?.beginSegment()
    }
    // An IDR picture can show what the one before shows.
    if try motion?.observe(picture) ?? (role == .new) {
      interval += ((sinceNew << 8) - interval) / 4
      sinceNew = 0
    }
    if let share = motion?.share { aim?.observe(share: share) }
  }

  private mutating func code(_ picture: borrowing Frame, as role: Role) throws(FFmpegError) -> Packet {
    let frame = try picture.shared()
    frame.pointer.pointee.pts = sent
    frame.pointer.pointee.pict_type = role == .idr ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE
    av_frame_remove_side_data(frame.pointer, AV_FRAME_DATA_REGIONS_OF_INTEREST)
    // Where a repeat cannot be written here, the coarsest quantizer is requested for the whole picture. x264 then codes
    // every macroblock as skipped; otherwise it would spend kilobytes on refining it.
    try mark(
      frame,
      role == .repeated ? [(0, frame.size.height, 0, frame.size.width, Self.fullOffset)] : regions(of: frame.size))
    try context!.send(frame)
    guard let packet = try context!.receivePacket() else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "avcodec_receive_packet(libx264): the encoder held a picture back")
    }
    sent += 1
    return packet
  }
  /// Runs of macroblocks in a row that share a quantizer: from row and column of pixels to row and column, and the
  /// offset in half steps.
  private func regions(of size: PictureSize) -> [Region] {
    let offset = Int32(((aim?.offset ?? 0) * 2).rounded())
    // A camera whose stills come just so often must not come to lie now before and now after the end.
    let remaining = (max(0, stepsPerSegment - 1 - sinceIDR) << 8 + 128) / max(1 << 8, interval)
    guard let offsets = motion?.offsets(remaining: remaining) else {
      return [(0, size.height, 0, size.width, offset)]
    }
    let columns = MotionMap.columns(of: size)
    var regions: [Region] = []
    for row in 0..<offsets.count / columns {
      var column = 0
      while column < columns {
        let value = offsets[row * columns + column]
        var end = column + 1
        while end < columns, offsets[row * columns + end] == value { end += 1 }
        regions.append((row * 16, row * 16 + 16, column * 16, end * 16, value + offset))
        column = end
      }
    }
    return regions
  }

  private typealias Region = (top: Int, bottom: Int, left: Int, right: Int, halfSteps: Int32)

  private func mark(_ frame: borrowing Frame, _ regions: [Region]) throws(FFmpegError) {
    guard !regions.isEmpty else { return }
    let stride = MemoryLayout<AVRegionOfInterest>.stride
    guard
      let data = av_frame_new_side_data(frame.pointer, AV_FRAME_DATA_REGIONS_OF_INTEREST, stride * regions.count)
    else {
      throw FFmpegError(code: FFmpegError.noMemory, call: "av_frame_new_side_data")
    }
    let size = frame.size
    for (index, region) in regions.enumerated() {
      let entry = AVRegionOfInterest(
        self_size: UInt32(stride), top: Int32(region.top), bottom: Int32(min(region.bottom, size.height)),
        left: Int32(region.left), right: Int32(min(region.right, size.width)),
        qoffset: AVRational(num: region.halfSteps, den: Self.fullOffset))
      UnsafeMutableRawPointer(data.pointee.data).storeBytes(
        of: entry, toByteOffset: index * stride, as: AVRegionOfInterest.self)
    }
  }
}
