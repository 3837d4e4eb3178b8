import Media
import NIOConcurrencyHelpers

/// A camera that was not there at first: it is opened again and again until it is, and then asked for its pictures.
actor RetryingSource: StillSource {
  /// Opens the camera, or says what is wrong with it.
  typealias Open = @Sendable () async throws -> any StillSource

  private let open: Open
  private let opened = NIOLockedValueBox<(source: (any StillSource)?, isStopped: Bool)>((nil, false))
  private var backoff = Backoff()
  private var retryAt: ContinuousClock.Instant
  private var trouble: String

  /// A source that opens what `open` opens, which has failed once by `trouble`.
  init(after trouble: CameraTrouble, open: @escaping Open) {
    self.open = open
    self.trouble = trouble.words
    retryAt = .now + backoff.wait(random: .random(in: 0...UInt32.max)).duration
  }

  /// What the camera has; while it is not there, what the trouble is.
  ///
  /// - Throws: `PushError` where a person has to set it right.
  func next(_ beat: Beat) async throws -> NextStill {
    if let source = opened.withLockedValue({ $0.source }) { return try await source.next(beat) }
    guard !isStopped else { return .end }
    guard ContinuousClock.now >= retryAt else { return .nothing(words) }
    do {
      let source = try await open()
      let isStopped = opened.withLockedValue { state in
        state.source = source
        return state.isStopped
      }
      if isStopped { source.stop() }
      return try await source.next(beat)
    } catch let error as CameraTrouble where !error.isLasting {
      trouble = error.words
      retryAt = .now + backoff.wait(random: .random(in: 0...UInt32.max)).duration
      return isStopped ? .end : .nothing(words)
    }
  }

  /// Ends the source.
  nonisolated func stop() {
    let source = opened.withLockedValue { state in
      state.isStopped = true
      return state.source
    }
    source?.stop()
  }

  private nonisolated var isStopped: Bool { opened.withLockedValue { $0.isStopped } }

  private var words: String { "camera: \(trouble); trying again" }
}
