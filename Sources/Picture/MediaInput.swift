import CFFmpeg
import Media
import NIOCore
import Synchronization

/// Lets another thread end FFmpeg's blocking calls on an input.
///
/// It also limits each call: one that takes longer than its time ends with `FFmpegError.timedOut`.
package final class MediaInterrupt: Sendable {
  private let isSet = Atomic<Bool>(false)
  private let deadline = Atomic<Int64>(.max)
  private let origin = ContinuousClock.now

  /// An interrupt that is not set.
  package init() {}

  /// Ends the current call within a tenth of a second, and every later one at once.
  package func interrupt() { isSet.store(true, ordering: .releasing) }

  /// Whether it was interrupted.
  package var isInterrupted: Bool { isSet.load(ordering: .acquiring) }

  /// Whether FFmpeg must stop now.
  fileprivate var isOver: Bool { isInterrupted || now >= deadline.load(ordering: .relaxed) }

  private var now: Int64 { Ticks(ContinuousClock.now - origin).count }

  /// Runs one call of FFmpeg and distinguishes a timeout from an interrupt.
  func limit(_ time: Ticks, _ call: String, _ body: () -> Int32) throws(FFmpegError) -> Int32 {
    deadline.store(now + time.count, ordering: .relaxed)
    let answer = body()
    defer { deadline.store(.max, ordering: .relaxed) }
    if answer == FFmpegError.exit, !isInterrupted { throw FFmpegError(code: FFmpegError.timedOut, call: call) }
    return answer
  }

  /// What FFmpeg calls while it waits; the interrupt must live longer than the context that uses it.
  var callback: AVIOInterruptCB {
    AVIOInterruptCB(
      callback: { opaque in Unmanaged<MediaInterrupt>.fromOpaque(opaque!).takeUnretainedValue().isOver ? 1 : 0 },
      opaque: Unmanaged.passUnretained(self).toOpaque())
  }
}

extension FFmpegError {
  /// A call that took too long: `ETIMEDOUT`.
  package static let timedOut: Int32 = -110
  /// An address that leads to another host: `EXDEV`.
  package static let otherHost: Int32 = -18
  /// An HTTP server that requires other credentials, or any: 401.
  package static let unauthorized = httpCode("401")
  /// An HTTP server that forbids it: 403.
  package static let forbidden = httpCode("403")
  /// An HTTP server that has nothing at this address: 404.
  package static let notFound = httpCode("404")

  /// An HTTP server that does not understand the request: 400.
  package static let badRequest = httpCode("400")
  /// An HTTP server that refuses the request otherwise: any other 4xx.
  package static let otherRequestError = httpCode("4XX")
  /// An HTTP server that is busy or broken: 5xx.
  package static let serverError = httpCode("5XX")

  /// FFmpeg's own message for the code, without the call.
  package var reason: String {
    var text = [CChar](repeating: 0, count: 128)
    av_strerror(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// FFmpeg's number for an HTTP status, `FFERRTAG(0xF8, …)`.
  private static func httpCode(_ digits: StaticString) -> Int32 {
    let bytes = (0..<3).map { UInt32(digits.utf8Start[$0]) }
    return -Int32(bitPattern: 0xF8 | bytes[0] << 8 | bytes[1] << 16 | bytes[2] << 24)
  }
}

/// Where pictures come from: a file, a URL, a device (`/dev/video0`) or a filter graph (`lavfi:testsrc2`).
package struct MediaLocation: Hashable, Sendable {
  /// How FFmpeg's libraries read it.
  package enum Kind: Hashable, Sendable {
    /// A file, or a URL of any protocol that FFmpeg knows.
    case url
    /// A camera of Video4Linux.
    case videoDevice
    /// A graph of libavfilter, without inputs.
    case filterGraph
  }

  /// How it is read.
  package let kind: Kind
  /// The URL for FFmpeg, with credentials; never print it.
  package let url: String
  /// A PEM file with the certificates that an https address is trusted by; `nil` for those of the system.
  package var authority: String?
  /// Whether redirects and playlists of an address can lead to other hosts.
  package var followsOtherHosts = false

  /// Reads a source as people write it: `/dev/videoN` is a device, `lavfi:GRAPH` a filter graph, anything else a URL or
  /// file.
  package init(_ text: String) {
    if text.hasPrefix("lavfi:") {
      (kind, url) = (.filterGraph, String(text.dropFirst(6)))
    } else if text.hasPrefix("/dev/video") || text.hasPrefix("v4l2:") {
      (kind, url) = (.videoDevice, text.hasPrefix("v4l2:") ? String(text.dropFirst(5)) : text)
    } else {
      (kind, url) = (.url, text)
    }
  }

  /// The same source at another address.
  package func moved(to url: String) -> MediaLocation {
    var moved = MediaLocation(url)
    (moved.authority, moved.followsOtherHosts) = (authority, followsOtherHosts)
    return moved
  }

  /// Whether it names a protocol: `rtsp://…`, `http://…`.
  package var isRemote: Bool { kind == .url && url.contains("://") && !url.hasPrefix("file:") }

  /// The address without user, password and values of the query, for messages and logs.
  package var redacted: String {
    switch kind {
    case .filterGraph: return "lavfi:\(url)"
    case .videoDevice: return url
    case .url: break
    }
    guard isRemote, let scheme = url.firstRange(of: "://") else { return url }
    var rest = url[scheme.upperBound...]
    let authority = rest.prefix { !"/?#".contains($0) }
    let port = (authority.split(separator: "@").last ?? "").drop { $0 != ":" }.dropFirst()
    if let last = authority.lastIndex(of: "@") {
      rest = rest[rest.index(after: last)...]
    } else if !port.allSatisfy(\.isNumber), !port.hasSuffix("]"), let last = rest.lastIndex(of: "@") {
      rest = rest[rest.index(after: last)...]  // Not a port, but a password with an unescaped slash or the like.
    }
    if let query = rest.firstIndex(of: "?") { rest = rest[..<query] + "?…" }
    return String(url[..<scheme.upperBound] + rest)
  }
}

extension MediaLocation: CustomStringConvertible {
  /// The redacted address.
  package var description: String { redacted }
}

/// An opened container, stream or device: the only owner of an `AVFormatContext`.
struct MediaInput: ~Copyable {
  let pointer: UnsafeMutablePointer<AVFormatContext>
  let location: MediaLocation
  private let interrupt: MediaInterrupt
  private let patience: Ticks
  /// What limits where the context reads; it asks for it until it is closed.
  private let rule: AddressRule?

  private static let registered: Void = {
    avdevice_register_all()
    avformat_network_init()
  }()

  init(_ location: MediaLocation, interrupt: MediaInterrupt, patience: Ticks) throws(FFmpegError) {
    _ = Self.registered
    var tries: [[String: String]] = [["fpsprobesize": "0"]]
    switch location.kind {
    case .videoDevice: tries = [["input_format": "mjpeg"], [:]]  // The camera's own JPEGs if it makes them.
    case .url where location.url.hasPrefix("rtsp"): tries[0]["rtsp_flags"] = "prefer_tcp"
    case .url where location.url.hasPrefix("https"):
      // FFmpeg verifies no certificates by default.
      tries[0]["tls_verify"] = "1"
      if let authority = location.authority { tries[0]["ca_file"] = authority }
    default: break
    }
    tries = tries.map { $0.merging(location.openingOptions) { $1 } }
    var opened: (context: UnsafeMutablePointer<AVFormatContext>?, rule: AddressRule?)
    for (index, options) in tries.enumerated() {
      do throws(FFmpegError) {
        opened = try Self.open(location, options, interrupt: interrupt, patience: patience)
        break
      } catch  where index < tries.count - 1 && !interrupt.isInterrupted {}
    }
    pointer = try allocated(opened.context, "avformat_open_input \(location)")
    rule = opened.rule
    self.location = location
    self.interrupt = interrupt
    self.patience = patience
  }

  private static func open(
    _ location: MediaLocation, _ options: [String: String], interrupt: MediaInterrupt, patience: Ticks
  ) throws(FFmpegError) -> (context: UnsafeMutablePointer<AVFormatContext>?, rule: AddressRule?) {
    var format: UnsafePointer<AVInputFormat>?
    switch location.kind {
    case .videoDevice: format = UnsafePointer(av_find_input_format("v4l2"))
    case .filterGraph: format = UnsafePointer(av_find_input_format("lavfi"))
    case .url: break
    }
    if location.kind != .url, format == nil {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "av_find_input_format: this FFmpeg has no \(location.kind)")
    }
    let context = try allocated(avformat_alloc_context(), "avformat_alloc_context")
    context.pointee.interrupt_callback = interrupt.callback
    var rule: AddressRule?
    if location.isRemote, !location.followsOtherHosts {
      rule = AddressRule(location, base: context.pointee.io_open)
      rule?.attach(to: context)
    }
    // A dead camera would block.
    if location.kind == .videoDevice { context.pointee.flags |= AVFMT_FLAG_NONBLOCK }
    var dictionary: OpaquePointer?
    defer { av_dict_free(&dictionary) }
    for (name, value) in options { av_dict_set(&dictionary, name, value, 0) }
    var opened: UnsafeMutablePointer<AVFormatContext>? = context
    let call = "avformat_open_input \(location)"
    // If it fails, it frees the context itself.
    let answer = try interrupt.limit(patience, call) {
      avformat_open_input(&opened, location.url, format, &dictionary)
    }
    // An RTSP server redirects by itself, and says where it is now.
    if answer >= 0, let rule, let url = opened?.pointee.url, !rule.allows(String(cString: url)) {
      avformat_close_input(&opened)
    }
    if answer < 0 || opened == nil, let host = rule?.refusedHost {
      throw FFmpegError(code: FFmpegError.otherHost, call: "\(call): it leads to \(host)")
    }
    try checked(answer, call)
    return (opened, rule)
  }

  deinit {
    var pointer: UnsafeMutablePointer<AVFormatContext>? = pointer
    avformat_close_input(&pointer)
  }

  /// The stream with this index.
  func stream(_ index: Int32) -> UnsafeMutablePointer<AVStream> { pointer.pointee.streams[Int(index)]! }

  /// The video stream, found by reading into the input if its codec is not known yet.
  ///
  /// Covers and thumbnails that a container has beside its video are none, and neither are tracks of still pictures
  /// beside one of moving ones, which are previews. Where Motion JPEG is the only video each picture of it says all
  /// about itself, and nothing needs to be read; else FFmpeg chooses the best of them.
  func bestVideoStream() throws(FFmpegError) -> Int32 {
    let videos = streams { $0.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO && !Self.isAttached($0) }
    if videos.count == 1, stillCodec(videos[0]) == AV_CODEC_ID_MJPEG { return videos[0] }
    let call = "avformat_find_stream_info \(location)"
    try checked(try interrupt.limit(patience, call) { avformat_find_stream_info(pointer, nil) }, call)
    let all = streams { $0.codecpar.pointee.codec_type == AVMEDIA_TYPE_VIDEO }
    let films = all.filter { !Self.isAttached(stream($0).pointee) && stillCodec($0) == nil }
    for index in all where films.isEmpty ? Self.isAttached(stream(index).pointee) : !films.contains(index) {
      stream(index).pointee.codecpar.pointee.codec_type = AVMEDIA_TYPE_ATTACHMENT
    }
    return try checked(
      av_find_best_stream(pointer, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0), "av_find_best_stream \(location)")
  }

  private func streams(_ isWanted: (AVStream) -> Bool) -> [Int32] {
    (0..<Int32(pointer.pointee.nb_streams)).filter { isWanted(stream($0).pointee) }
  }

  private static func isAttached(_ stream: AVStream) -> Bool {
    stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS) != 0
  }

  /// The codec of a stream whose pictures are coded each for itself as a file would be; `nil` for all others.
  private func stillCodec(_ index: Int32) -> AVCodecID? {
    let codec = stream(index).pointee.codecpar.pointee.codec_id
    return [AV_CODEC_ID_MJPEG, AV_CODEC_ID_PNG, AV_CODEC_ID_BMP].contains(codec) ? codec : nil
  }

  /// Reads the next packet; `false` while a device has none yet.
  func read(into packet: borrowing Packet) throws(FFmpegError) -> Bool {
    let call = "av_read_frame \(location)"
    av_packet_unref(packet.pointer)
    let answer = try interrupt.limit(patience, call) { av_read_frame(pointer, packet.pointer) }
    if answer == FFmpegError.again { return false }
    try checked(answer, call)
    return true
  }
}
