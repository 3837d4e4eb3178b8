import CFFmpeg
import NIOConcurrencyHelpers

/// Keeps FFmpeg to the host of an address: what a camera answers must not lead to other machines of its network, whose
/// pictures would then be published.
///
/// Playlists can name any address, and FFmpeg follows redirects to any. Every file that it opens for an input goes
/// through `open`, which refuses other hosts and redirects. The hosts are compared as they are written: a name that
/// resolves to another address later is not noticed.
final class AddressRule: Sendable {
  /// FFmpeg's own way of opening, of `AVFormatContext.io_open`.
  typealias Opening =
    @convention(c) (
      UnsafeMutablePointer<AVFormatContext>?, UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?,
      UnsafePointer<CChar>?, Int32, UnsafeMutablePointer<OpaquePointer?>?
    ) -> Int32

  private let host: String
  private let base: Opening?
  private let refused = NIOLockedValueBox<String?>(nil)

  /// The rule for an address and all that it leads to.
  ///
  /// - Parameter base: what opens the files that are allowed.
  init(_ location: MediaLocation, base: Opening?) {
    host = Self.host(of: location.url)
    self.base = base
  }

  /// The first host that something led to and that was refused; `nil` if nothing did.
  var refusedHost: String? { refused.withLockedValue { $0 } }

  /// Makes a context ask the rule. The rule must live longer than the context.
  func attach(to context: UnsafeMutablePointer<AVFormatContext>) {
    context.pointee.opaque = Unmanaged.passUnretained(self).toOpaque()
    context.pointee.io_open = { context, file, url, flags, options in
      guard let context, let url, let opaque = context.pointee.opaque else { return -EACCES }
      return Unmanaged<AddressRule>.fromOpaque(opaque).takeUnretainedValue().open(context, file, url, flags, options)
    }
  }

  /// Whether the rule allows an address; one that it refuses is remembered.
  func allows(_ url: String) -> Bool {
    if url.hasPrefix("data:") { return true }
    let other = Self.host(of: url)
    if other == host { return true }
    refused.withLockedValue { $0 = $0 ?? (other.isEmpty ? "this machine's files" : other) }
    return false
  }

  private func open(
    _ context: UnsafeMutablePointer<AVFormatContext>,
    _ file: UnsafeMutablePointer<UnsafeMutablePointer<AVIOContext>?>?, _ url: UnsafePointer<CChar>, _ flags: Int32,
    _ options: UnsafeMutablePointer<OpaquePointer?>?
  ) -> Int32 {
    guard let base, allows(String(cString: url)) else { return -EACCES }
    // Redirects of the address itself were followed before, as far as they stay on its host.
    if let options { av_dict_set(options, "max_redirects", "0", 0) }
    return base(context, file, url, flags, options)
  }

  /// The host of an address in lower case; empty if it has none. FFmpeg's own reading, because it connects by that.
  static func host(of url: String) -> String {
    let address = url.hasPrefix("crypto:") ? String(url.dropFirst("crypto:".count)) : url
    var host = [CChar](repeating: 0, count: 1024)
    av_url_split(nil, 0, nil, 0, &host, Int32(host.count), nil, nil, 0, address)
    return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
  }
}

extension MediaLocation {
  /// What FFmpeg may use to read it; empty for files and devices, which keep FFmpeg's own rules.
  ///
  /// An answer over HTTP cannot make it read files or listen for packets: neither the protocols for that nor the
  /// containers that only name other addresses (SDP, ffconcat and the like) are among them.
  var openingOptions: [String: String] {
    guard isRemote, let end = url.firstRange(of: "://") else { return [:] }
    let scheme = url[..<end.lowerBound].lowercased()
    switch scheme {
    case "rtsp", "rtsps": return ["protocol_whitelist": "rtp,srtp,udp,tcp,tls"]
    case "http", "https":
      return ["protocol_whitelist": "http,https,tcp,tls,crypto,data", "format_whitelist": Self.containers]
    default:
      return [
        "protocol_whitelist": "\(scheme),tcp,tls,udp,ffrtmphttp,ffrtmpcrypt,http,https",
        "format_whitelist": Self.containers + ",rtp",
      ]
    }
  }

  private static let containers = """
    hls,mov,matroska,mpegts,mpeg,flv,live_flv,avi,asf,asf_o,ogg,nut,mxf,rm,dv,mpjpeg,mjpeg,h264,hevc,vvc,av1,obu,\
    ivf,m4v,mpegvideo,vc1,h263,jpeg_pipe,png_pipe,bmp_pipe,webp_pipe,gif,apng,yuv4mpegpipe,aac,mp3,ac3,eac3,webvtt
    """
}
