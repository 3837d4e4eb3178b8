import Camera
import NIOCore

/// A source that is a closure: whatever paints or computes its own stills.
struct ClosureSource: StillSource {
  private let body: @Sendable (_ index: Int) async throws -> ByteBuffer?

  /// A source that asks `body` for the still of each beat's number; `nil` ends it.
  init(_ body: @escaping @Sendable (_ index: Int) async throws -> ByteBuffer?) { self.body = body }

  /// The closure's still for the beat.
  func next(_ beat: Beat) async throws -> NextStill {
    try await body(Int(beat.index)).map { .still($0) } ?? .end
  }

  /// Nothing to end: the closure runs in the pusher's own task and is cancelled with it.
  func stop() {}
}
