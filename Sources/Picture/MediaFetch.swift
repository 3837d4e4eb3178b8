import CFFmpeg
import Media
import NIOCore

/// One answer of a URL, read completely with libavformat's protocols, which support the Basic and Digest logins of
/// cameras.
package struct MediaFetch: Sendable {
  /// The media type of the answer, unchanged; `nil` if the protocol has none.
  package let contentType: String?
  /// The body, or its first bytes if fewer were requested.
  package let body: ByteBuffer

  /// Requests `location`. Blocks: use a thread of its own.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that are read.
  ///   - prefixOnly: whether a body longer than `limit` is cut there instead of being an error.
  ///   - patience: the longest time for opening, or for waiting for more bytes.
  /// - Throws: FFmpeg's error, with the address in the call, without its credentials.
  package init(
    _ location: MediaLocation, limit: Int, prefixOnly: Bool = false, interrupt: MediaInterrupt,
    patience: Ticks = .seconds(10)
  ) throws(FFmpegError) {
    avformat_network_init()
    var context: UnsafeMutablePointer<AVIOContext>?
    var callback = interrupt.callback
    let open = "avio_open2 \(location)"
    try checked(
      try interrupt.limit(patience, open) {
        avio_open2(&context, location.url, AVIO_FLAG_READ, &callback, nil)
      }, open)
    defer { avio_closep(&context) }

    var type: UnsafeMutablePointer<UInt8>?
    if av_opt_get(context, "mime_type", AV_OPT_SEARCH_CHILDREN, &type) >= 0, let type {
      contentType = String(cString: type)
      av_free(type)
    } else {
      contentType = nil
    }

    let read = "avio_read \(location)"
    var body = ByteBuffer()
    while prefixOnly ? body.readableBytes < limit : true {
      let room = min(65_536, limit + (prefixOnly ? 0 : 1) - body.readableBytes)
      var answer: Int32 = 0
      var failure: FFmpegError?
      body.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
        do throws(FFmpegError) {
          answer = try interrupt.limit(patience, read) {
            avio_read_partial(context, target.bindMemory(to: UInt8.self).baseAddress, Int32(room))
          }
        } catch { failure = error }
        return max(0, Int(answer))
      }
      if let failure { throw failure }
      if answer == FFmpegError.endOfFile || answer == 0 { break }
      try checked(answer, read)
      guard prefixOnly || body.readableBytes <= limit else {
        throw FFmpegError(code: FFmpegError.invalidData, call: "\(read): more than \(limit) bytes came")
      }
    }
    self.body = body
  }

  /// Whether the body begins as a JPEG does: FF D8 FF.
  package var isJPEG: Bool { body.readableBytesView.starts(with: [0xFF, 0xD8, 0xFF]) }
}
