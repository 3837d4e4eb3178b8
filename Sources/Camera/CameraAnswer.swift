import Ingest
import Media
import NIOCore

/// One answer of a camera that is being read.
struct CameraAnswer: Sendable {
  /// What comes next of it.
  enum Piece: Sendable {
    /// Bytes of the body; behind the announced end those that are too many.
    case bytes(ByteBuffer)
    /// The end that the head announced.
    case end
    /// The end of the connection.
    case closed
  }

  /// The longest that a camera may send nothing.
  static let patience = Ticks.seconds(10)

  private let connection: CameraConnection
  private var reader = AnswerReader()
  private var events: [AnswerReader.Event] = []
  private var isClosed = false
  private var hasBegun = false
  private var isReusable = false
  /// The head, once it has come.
  private(set) var head: AnswerHead?

  /// The answer to a request that has been sent.
  init(_ connection: CameraConnection) { self.connection = connection }

  /// Waits for the head.
  mutating func readHead() async throws(CameraTrouble) -> AnswerHead {
    while true {
      if let head { return head }
      try await fill(within: Self.patience)
      if case .head(let head)? = events.first {
        events.removeFirst()
        self.head = head
      }
    }
  }

  /// The next piece of the body.
  mutating func next(within patience: Ticks = Self.patience) async throws(CameraTrouble) -> Piece {
    while events.isEmpty {
      if isClosed { return .closed }
      try await fill(within: patience)
    }
    switch events.removeFirst() {
    case .body(let bytes): return .bytes(bytes)
    case .end(let isReusable):
      self.isReusable = isReusable
      return .end
    case .malformed(let words): throw .passing(words)
    case .head: return .bytes(ByteBuffer())
    }
  }

  private mutating func fill(within patience: Ticks) async throws(CameraTrouble) {
    guard !isClosed else { throw .passing("the connection ended without an answer") }
    let bytes: ByteBuffer?
    do { bytes = try await connection.read(within: patience) } catch {
      var trouble = CameraTrouble(error)
      trouble.isBeforeAnswer = !hasBegun
      throw trouble
    }
    if let bytes {
      hasBegun = true
      events += reader.read(bytes)
    } else {
      isClosed = true
      events += reader.finish()
    }
    if case .malformed(let words)? = events.last {
      var trouble = CameraTrouble.passing(words)
      trouble.isBeforeAnswer = !hasBegun
      throw trouble
    }
  }

  /// The connection, if the answer is at its end or comes to it at once and another may follow.
  func connectionForNext() async -> CameraConnection? {
    var answer = self
    do throws(CameraTrouble) {
      while !answer.isReusable {
        switch try await answer.next(within: .milliseconds(50)) {
        case .bytes(let bytes): if bytes.readableBytes > 65_536 { return nil }
        case .end: if !answer.isReusable { return nil }
        case .closed: return nil
        }
      }
    } catch { return nil }
    return answer.events.isEmpty && !answer.isClosed ? connection : nil
  }
}
