import NIOCore

/// Reads a body that is a picture, or pictures one directly after another (`ffmpeg -f mjpeg`).
struct RawReader: Sendable {
  private enum State {
    case picture
    /// After a picture: padding, or the next one.
    case between
    /// Everything is skipped.
    case rest
  }

  private let limit: Int
  private let isStream: Bool
  private var collector: StillCollector
  private var budget: SkipBudget
  private var state = State.picture

  /// A reader of one picture of at most `limit` bytes, or of many if the body has no length.
  init(limit: Int, isStream: Bool) {
    self.limit = limit
    self.isStream = isStream
    collector = StillCollector(limit: limit, splits: isStream)
    budget = SkipBudget(limit)
  }

  var heldBytes: Int { collector.heldBytes }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    var piece = piece
    while piece.readableBytes > 0 {
      switch state {
      case .picture:
        switch collector.append(piece) {
        case .passed(let count):
          if collector.kind == .other { state = .rest }
          if !budget.spend(count) { findings.append(.overflow) }
          return
        case .oversized:
          // Nothing says where in the stream the next picture would begin.
          findings.append(.overflow)
          return
        case .picture(let picture, let rest):
          findings.append(.picture(picture))
          budget.renew()
          state = isStream && !collector.hasSiblings ? .between : .rest
          piece.moveReaderIndex(to: piece.writerIndex - rest)
        case .brokeOff(let picture, let next):
          findings.append(.picture(picture))
          budget.renew()
          collector = StillCollector(limit: limit, splits: true)
          piece = next
        }
      case .between:
        let padding = piece.readableBytesView.prefix { $0 == 0x00 || $0 == 0x0D || $0 == 0x0A }.count
        guard skip(padding, of: &piece, into: &findings) else { return }
        guard let first = piece.getInteger(at: piece.readerIndex, as: UInt8.self) else { return }
        collector = StillCollector(limit: limit, splits: true)
        state = first == 0xFF ? .picture : .rest
      case .rest: guard skip(piece.readableBytes, of: &piece, into: &findings) else { return }
      }
    }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    if state == .picture, let picture = collector.end() { findings.append(.picture(picture)) }
  }

  private mutating func skip(_ count: Int, of piece: inout ByteBuffer, into findings: inout [BodyItem]) -> Bool {
    piece.moveReaderIndex(forwardBy: count)
    if budget.spend(count) { return true }
    findings.append(.overflow)
    return false
  }
}
