import NIOCore

/// Collects one run of bytes that may be a picture: a raw body, a part of a multipart body, a decoded field.
struct StillCollector: Sendable {
  /// What the run is.
  enum Kind: Equatable {
    /// Too few bytes to decide.
    case unknown
    /// It begins with FF D8 FF.
    case picture
    /// It does not.
    case other
  }

  /// The result of a piece of the run.
  enum Outcome: Equatable {
    /// This many bytes belong to no picture.
    case passed(Int)
    /// A picture, and whether others can follow it in the same run; this many bytes of the piece come after it.
    case picture(ByteBuffer, rest: Int)
    /// A picture that was cut off where the next one begins.
    case brokeOff(ByteBuffer, next: ByteBuffer)
    /// A picture over the limit; this many bytes of the piece come after the first one that is over it.
    case oversized(rest: Int)
  }

  private static let start: [UInt8] = [0xFF, 0xD8, 0xFF]

  private let limit: Int
  private let splits: Bool
  private var scan = JPEGScan()
  private var bytes = ByteBuffer()
  private var isDone = false
  /// What the run is, as far as it is known.
  private(set) var kind = Kind.unknown
  /// The first bytes of a run that is not a picture, at most three.
  private(set) var firstBytes: [UInt8] = []

  /// A collector of a picture of at most `limit` bytes.
  ///
  /// - Parameter splits: whether the next picture can follow one that is cut off in its coded data; otherwise the
  ///   damage is left in the picture for the decoder to find.
  init(limit: Int, splits: Bool = false) {
    self.limit = limit
    self.splits = splits
  }

  /// Whether the picture says that pictures after it belong to it.
  var hasSiblings: Bool { scan.hasSiblings }

  /// The bytes that are kept.
  var heldBytes: Int { bytes.readableBytes }

  /// Takes the next piece of the run.
  mutating func append(_ piece: ByteBuffer) -> Outcome {
    guard !isDone, kind != .other || firstBytes.count < 3 else { return .passed(piece.readableBytes) }
    // What waited for the next byte is counted with it.
    let count = piece.readableBytes + (kind == .unknown ? firstBytes.count : 0)
    var piece = piece
    while firstBytes.count < 3, let byte = piece.readInteger(as: UInt8.self) {
      if byte != Self.start[firstBytes.count] { kind = .other }
      firstBytes.append(byte)
    }
    if kind == .other { return .passed(count) }
    if kind == .unknown {
      guard firstBytes.count == 3 else { return .passed(0) }
      kind = .picture
      bytes.writeBytes(firstBytes)
      // The third byte is the FF of the marker after SOI.
      _ = firstBytes.suffix(1).withUnsafeBytes { scan.advance(over: $0) }
    }
    let step = piece.withUnsafeReadableBytes { scan.advance(over: $0) }
    let length =
      switch step {
      case .ended(let length): length
      case .brokeOff(let length) where splits: length
      case .brokeOff, .unfinished: piece.readableBytes
      }
    guard bytes.readableBytes + length <= limit else {
      let rest = bytes.readableBytes + piece.readableBytes - limit - 1
      bytes = ByteBuffer()
      isDone = true
      return .oversized(rest: rest)
    }
    if var part = piece.readSlice(length: max(length, 0)) { bytes.writeBuffer(&part) }
    switch step {
    case .ended:
      isDone = true
      return .picture(takeBytes(), rest: piece.readableBytes)
    case .brokeOff where splits:
      isDone = true
      if length < 0 {
        bytes.moveWriterIndex(to: bytes.writerIndex + length)
        var next = ByteBuffer(bytes: [0xFF])
        next.writeBuffer(&piece)
        return .brokeOff(takeBytes(), next: next)
      }
      return .brokeOff(takeBytes(), next: piece)
    case .brokeOff, .unfinished: return .passed(0)
    }
  }

  /// The picture that the run ended without its EOI.
  mutating func end() -> ByteBuffer? {
    guard kind == .picture, !isDone else { return nil }
    isDone = true
    return takeBytes()
  }

  private mutating func takeBytes() -> ByteBuffer {
    defer { bytes = ByteBuffer() }
    return bytes
  }
}
