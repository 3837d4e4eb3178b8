import Foundation
import Logging
import NIOConcurrencyHelpers

/// When a camera's loop is read from disk.
enum LoopReading: Sendable {
  /// When it is played, on the thread that plays it: for tests whose clock runs faster than any disk.
  case whenPlayed
  /// Ahead of that, on a thread of its own. The closure is called there before each access to the disk.
  case ahead(willRead: @Sendable () -> Void = {})

  var isAhead: Bool { if case .ahead = self { true } else { false } }

  var willRead: @Sendable () -> Void {
    if case .ahead(let willRead) = self { willRead } else { {} }
  }
}

/// Reads the operator's loop from disk ahead of when its segments are played, on a thread of its own: who plays takes
/// what lies in memory and never waits. A disk that hangs keeps the thread, and nothing else.
///
/// Only the segments that were asked for last are kept. Before `begin` it reads at once, on the caller's thread: a
/// camera that starts has no picture yet that could stop.
final class LoopReader: Sendable {
  /// What there is of a segment.
  enum Answer: Sendable {
    case ready(LoopSegment)
    /// It has not been read yet.
    case pending
    /// It cannot be read, or another loop has taken its loop's place.
    case failed
  }

  private enum Job {
    case look
    case open
    case read(Int, of: Loop, generation: Int)
  }

  private struct State {
    var loop: Loop?
    /// How often a loop was opened.
    var generation = 0
    /// What the folder had when that was done.
    var stamp: LoopFolder.Stamp?
    var segments: [Int: LoopSegment] = [:]
    var failed: Set<Int> = []
    var wanted: [Int] = []
    var mustLook = false
    var mustOpen = false
    /// Whether it reads ahead, and whether its thread is at work.
    var isAhead = false
    var isBusy = false
  }

  private let openLoop: @Sendable () -> Loop?
  private let stamp: @Sendable () -> LoopFolder.Stamp?
  private let willRead: @Sendable () -> Void
  private let logger: Logger
  private let state = NIOLockedValueBox(State())

  /// A reader that has read nothing.
  ///
  /// - Parameters:
  ///   - stamp: what tells one loop in the folder from another; `nil` where there is none.
  ///   - willRead: called on the reader's thread before each access to the disk.
  ///   - open: opens the loop as it is now; `nil`, logged, where there is none.
  init(
    logger: Logger, stamp: @escaping @Sendable () -> LoopFolder.Stamp? = { nil },
    willRead: @escaping @Sendable () -> Void = {}, open: @escaping @Sendable () -> Loop?
  ) {
    self.logger = logger
    self.stamp = stamp
    self.willRead = willRead
    openLoop = open
  }

  /// Reads ahead from now on.
  func begin() { state.withLockedValue { $0.isAhead = true } }

  /// Whether it reads ahead.
  var isAhead: Bool { state.withLockedValue { $0.isAhead } }

  /// The newest loop that was opened, and which one that is.
  var newest: (loop: Loop?, generation: Int) { state.withLockedValue { ($0.loop, $0.generation) } }

  /// Opens the newest loop of the folder: ahead of time if it is another one than before, or there was none.
  func load() {
    guard isAhead else { return open() }
    state.withLockedValue { state in
      if state.loop == nil { state.mustOpen = true } else { state.mustLook = true }
    }
    work()
  }

  /// Opens the loop again, because it could not be read.
  func reload() {
    guard isAhead else { return open() }
    state.withLockedValue { $0.mustOpen = true }
    work()
  }

  /// Looks whether there is another loop than before.
  func look() {
    guard isAhead else { return lookNow() }
    state.withLockedValue { $0.mustLook = true }
    work()
  }

  /// Says which segments may be played next, the most urgent first; the others are forgotten.
  func want(_ indices: [Int]) {
    guard isAhead else { return }
    state.withLockedValue { state in
      state.wanted = indices
      state.segments = state.segments.filter { indices.contains($0.key) }
    }
    work()
  }

  /// A segment of a loop.
  func segment(_ index: Int, generation: Int) -> Answer {
    let (answer, loop) = state.withLockedValue { state -> (Answer?, Loop?) in
      guard generation == state.generation, !state.failed.contains(index) else {
        return (.failed, nil)
      }
      if let segment = state.segments[index] { return (.ready(segment), nil) }
      return (state.isAhead ? .pending : nil, state.loop)
    }
    if let answer { return answer }
    guard let loop, let segment = read(index, of: loop) else { return .failed }
    return .ready(segment)
  }

  // MARK: The thread

  private func work() {
    let starts = state.withLockedValue { state in
      defer { state.isBusy = true }
      return !state.isBusy
    }
    guard starts else { return }
    Thread.detachNewThread { [self] in
      while let job = next() {
        willRead()
        switch job {
        case .look: lookNow()
        case .open: open()
        case .read(let index, let loop, let generation):
          keep(read(index, of: loop), index, generation)
        }
      }
    }
  }

  private func next() -> Job? {
    state.withLockedValue { state in
      if state.mustOpen {
        (state.mustOpen, state.mustLook) = (false, false)
        return .open
      }
      if state.mustLook {
        state.mustLook = false
        return .look
      }
      let missing = state.wanted.first { state.segments[$0] == nil && !state.failed.contains($0) }
      if let missing, let loop = state.loop, missing < loop.count {
        return .read(missing, of: loop, generation: state.generation)
      }
      state.isBusy = false
      return nil
    }
  }

  private func lookNow() {
    let known = state.withLockedValue { $0.stamp }
    if stamp() != known { open() }
  }

  private func open() {
    // A loop that is put there meanwhile is seen by the next look.
    let stamp = stamp()
    let loop = openLoop()
    state.withLockedValue { state in
      (state.loop, state.stamp) = (loop, stamp)
      state.generation += 1
      (state.segments, state.failed) = ([:], [])
    }
  }

  private func read(_ index: Int, of loop: Loop) -> LoopSegment? {
    do {
      return try loop.segment(index)
    } catch {
      logger.warning(
        "the loop cannot be read; its newest state is taken up, or else the slate: \(error)")
      return nil
    }
  }

  private func keep(_ segment: LoopSegment?, _ index: Int, _ generation: Int) {
    state.withLockedValue { state in
      guard generation == state.generation else { return }
      if let segment, state.wanted.contains(index) { state.segments[index] = segment }
      if segment == nil { state.failed.insert(index) }
    }
  }
}
