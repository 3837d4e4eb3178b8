import NIOCore

/// Counts the bytes that pass one layer of a viewer's connection, both ways, and changes none.
///
/// A pipeline with TLS has two: at the socket, where everything is counted, and above TLS. Written bytes count when
/// they are written.
final class WireCounter: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The layer.
  enum Layer: Sendable {
    /// Next to the socket of a connection with TLS.
    case socket
    /// Between TLS and HTTP/1.1.
    case plain
    /// Between TLS and HTTP/2, whose frames are read.
    case frames
    /// Next to the socket of a connection without TLS: both at once.
    case bare
  }

  private let layer: Layer
  private let tally: WireTally
  private var down = FrameMeter(skipping: 0)
  private var up = FrameMeter(skipping: FrameMeter.prefaceLength)

  /// A counter at a layer.
  init(_ layer: Layer, tally: WireTally) {
    (self.layer, self.tally) = (layer, tally)
    if layer == .frames { tally.add { $0.isHTTP2 = true } }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    let count = bytes.readableBytes
    let fields = layer == .frames ? down.read(bytes) : 0
    tally.add { counts in
      if layer == .socket || layer == .bare { counts.socketDown += count }
      if layer != .socket { counts.plainDown += count }
      counts.fieldsDown += fields
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    let count = bytes.readableBytes
    let fields = layer == .frames ? up.read(bytes) : 0
    tally.add { counts in
      if layer == .socket || layer == .bare { counts.socketUp += count }
      if layer != .socket { counts.plainUp += count }
      counts.fieldsUp += fields
    }
    context.write(data, promise: promise)
  }
}

/// Follows HTTP/2's frames in one direction and counts the bytes of header blocks (RFC 9113, section 4.1).
struct FrameMeter {
  /// Bytes of the client's connection preface (RFC 9113, section 3.4).
  static let prefaceLength = 24

  private var skipping: Int
  private var head: [UInt8] = []
  private var payload = 0
  private var isFields = false

  /// A meter that skips the first bytes.
  init(skipping: Int) { self.skipping = skipping }

  /// Reads on; returns how many of these bytes are HEADERS and CONTINUATION payloads.
  mutating func read(_ bytes: ByteBuffer) -> Int {
    var fields = 0
    var rest = bytes.readableBytesView[...]
    while !rest.isEmpty {
      if skipping > 0 {
        let count = min(skipping, rest.count)
        skipping -= count
        rest = rest.dropFirst(count)
      } else if payload > 0 {
        let count = min(payload, rest.count)
        payload -= count
        if isFields { fields += count }
        rest = rest.dropFirst(count)
      } else {
        let count = min(9 - head.count, rest.count)
        head += rest.prefix(count)
        rest = rest.dropFirst(count)
        guard head.count == 9 else { continue }
        payload = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        isFields = head[3] == 1 || head[3] == 9
        head.removeAll(keepingCapacity: true)
      }
    }
    return fields
  }
}
