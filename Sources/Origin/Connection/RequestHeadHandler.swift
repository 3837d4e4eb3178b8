import NIOCore
import NIOHTTP1

/// Stands before the HTTP/1 parser and hands it each head whole, with harmless slips put right; keeps the head for as
/// long as the parser may refuse it, so that the refusal can say why.
///
/// What is put right changes nothing about where a message ends, so it opens no way to smuggle a request past a proxy:
/// blanks behind `HTTP/1.1`, and a head whose lines all end with LF alone (RFC 9112, sections 2.2 and 3). A head that
/// has both kinds of line ends goes to the parser as it is, which refuses it. `ConnectionRulesHandler` behind the parser
/// says where messages begin and end; where that is not known exactly, bytes go through untouched.
final class RequestHeadHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// How the end of a message's body is found.
  enum Framing: Hashable {
    /// By its length; 0 where there is none.
    case length(Int)
    /// By chunks, or not at all: the length is not known.
    case other
  }

  private enum State: Hashable {
    /// The next byte is the first of a head.
    case head
    /// So many bytes of a body are to come.
    case body(Int)
    /// Where the next head begins is known only if the parser and a read end together.
    case untracked
  }

  /// Heads of more bytes than this go to the parser in pieces, and it knows its own limits.
  private static let most = 24 << 10
  private static let lastChunk = Array("0\r\n\r\n".utf8)

  private var state = State.head
  private var held: ByteBuffer?
  private var scan = RequestHeadScan()
  private var hasEnded = false

  /// The head that the parser has not taken yet; empty where it has.
  private(set) var pending: [UInt8] = []

  /// Whether the next byte is the first of a head, and nothing of one is held.
  var isAtHead: Bool { state == .head && held == nil }

  /// The parser has read a head.
  func headCame(_ framing: Framing) {
    pending = []
    hasEnded = false
    if case .length(let count) = framing { state = .body(count) } else { state = .untracked }
  }

  /// The parser has read a message to its end.
  func messageEnded() {
    hasEnded = true
    if state == .body(0) { state = .head }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if var before = held.take() {
      before.writeBuffer(&bytes)
      bytes = before
    }
    while bytes.readableBytes > 0 {
      switch state {
      case .body(let count):
        guard let piece = bytes.readSlice(length: min(count, bytes.readableBytes)), piece.readableBytes > 0 else {
          state = .untracked
          continue
        }
        state = .body(count - piece.readableBytes)
        context.fireChannelRead(wrapInboundOut(piece))
        if state == .body(0), hasEnded { state = .head }
      case .untracked:
        let isLast = bytes.readableBytesView.suffix(Self.lastChunk.count).elementsEqual(Self.lastChunk)
        hasEnded = false
        context.fireChannelRead(wrapInboundOut(bytes))
        if hasEnded, isLast, state == .untracked { state = .head }
        return
      case .head:
        guard let end = scan.end(in: bytes) else {
          if scan.isUnusual || bytes.readableBytes > Self.most {
            scan = RequestHeadScan()
            pending = Array(bytes.readableBytesView.prefix(Self.most))
            state = .untracked
            continue
          }
          held = bytes
          return
        }
        scan = RequestHeadScan()
        guard let head = bytes.readSlice(length: end) else { return }
        pending = Array(head.readableBytesView)
        // Where the parser refuses it, nothing behind it is a request.
        state = .untracked
        hasEnded = false
        context.fireChannelRead(wrapInboundOut(Self.putRight(head)))
        if state == .body(0), hasEnded { state = .head }
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { release(context) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    release(context)
    context.fireChannelInactive()
  }

  private func release(_ context: ChannelHandlerContext) {
    guard let bytes = held.take() else { return }
    scan = RequestHeadScan()
    pending = Array(bytes.readableBytesView)
    context.fireChannelRead(wrapInboundOut(bytes))
  }

  // MARK: Heads

  /// The head as the parser wants it; the very bytes where nothing can be put right.
  static func putRight(_ head: ByteBuffer) -> ByteBuffer {
    let bytes = Array(head.readableBytesView.drop { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") })
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return head }
    let isBare = !bytes.contains(UInt8(ascii: "\r"))
    let endsWell = end > 0 && bytes[end - 1] == UInt8(ascii: "\r")
    guard isBare || endsWell else { return head }
    let line = RequestHeadScan.withoutBlanks(Array(bytes[...end]))
    // A control character before the blanks is for the parser to refuse, in the very bytes that came.
    guard isBare || line.count < end - 1, line.last.map({ $0 > UInt8(ascii: " ") }) ?? true else { return head }
    var right = ByteBufferAllocator().buffer(capacity: bytes.count + 64)
    right.writeBytes(line)
    guard isBare else {
      right.writeBytes(bytes[(end - 1)...])
      return right
    }
    for piece in bytes[end...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast() {
      right.writeBytes(piece)
      right.writeString("\r\n")
    }
    return right
  }
}
