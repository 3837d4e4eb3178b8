import Foundation
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SystemPackage

/// Keeps a camera's folder equal to what is published, so that any web server can serve it.
///
/// Writing happens on a thread of its own and never delays the loop. Every file appears by a rename, complete or not at
/// all. What cannot be written is logged and tried again with the next state; a disk that is slower than the stream
/// gets fewer states.
package final class Mirror: Sendable {
  private struct State {
    var wanted: MirrorContents?
    var isWriting = false
    var plan: MirrorPlan
    var waiting: [@Sendable () -> Void] = []
    var failures = 0
    var slowWrites = 0
    /// Whether the state file of an earlier moment was renamed, because its numbers are not the last ones.
    var isSetAside: Bool
    /// Whether a process that ended now would find no state at all.
    var hasNoState = false
    /// How high media sequences may have been published.
    var sequenceLimit = 0
    /// The same for the newest contents, whether they were written or not.
    var newestSequence = 0
    /// When the folder is to be looked at next.
    var nextLook: ContinuousClock.Instant
    /// Whether the folder is another process's by now.
    var isLost = false
  }

  private struct Job {
    let contents: MirrorContents
    let plan: MirrorPlan
    let waiting: [@Sendable () -> Void]
  }

  private let folder: String
  private let patience: Duration
  private let lookEvery: Duration
  private let lock: StoreLock?
  private let logger: Logger
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let willDo: @Sendable (MirrorPlan.Step) throws -> Void
  private let state: NIOLockedValueBox<State>

  /// A mirror in `folder`, which is created if needed. Files in it that look like our media are known and removed when
  /// they are no longer listed; others are left alone.
  ///
  /// - Parameters:
  ///   - patience: how long writing one state can take before it is reported: states come that often.
  ///   - lookEvery: how often it is looked whether the folder still holds what was written there.
  ///   - lock: keeps other processes from the folder, and is let go with the mirror.
  ///   - willDo: called before each step. What it throws counts as that step's failure, except a `CancellationError`,
  ///     which ends the writing of this state silently, as the end of the process does.
  /// - Throws: the file system's error if the folder cannot be created or read.
  init(
    folder: String, patience: Duration = .seconds(1), lookEvery: Duration = .seconds(30), lock: StoreLock? = nil,
    logger: Logger,
    willDo: @escaping @Sendable (MirrorPlan.Step) throws -> Void = { _ in }
  ) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let present = try FileManager.default.contentsOfDirectory(atPath: folder)
    for name in present where name.hasPrefix(StoreFile.temporaryPrefix) {
      try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
    state = NIOLockedValueBox(
      State(
        plan: MirrorPlan(present: Set(present.filter { $0.hasSuffix(".mp4") })),
        isSetAside: present.contains(StreamState.asideName), nextLook: .now + lookEvery))
    self.folder = folder
    self.patience = patience
    self.lookEvery = lookEvery
    self.lock = lock
    self.logger = logger
    self.willDo = willDo
    thread.start()
  }

  /// How many writes have failed.
  var failures: Int { state.withLockedValue { $0.failures } }

  /// How many states took longer to write than the next one took to come.
  var slowWrites: Int { state.withLockedValue { $0.slowWrites } }

  /// Sets what the folder should hold from now on.
  func update(_ contents: MirrorContents) {
    let starts = state.withLockedValue { state in
      state.wanted = contents
      state.newestSequence = contents.reservedSequence
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if starts { thread.submit { _ in self.writeUntilDone() } }
  }

  /// How high a media sequence can be published now, so that a process that restarts with this folder never counts
  /// lower: as high as the folder knows. Without a state in it, there is nothing to restart from.
  ///
  /// - Parameter reached: how high it is already, which can be more if the disk has not answered for long.
  func sequenceLimit(reached: Int) -> Int {
    state.withLockedValue { state in
      if state.hasNoState { state.sequenceLimit = max(state.sequenceLimit, state.newestSequence) }
      state.sequenceLimit = max(state.sequenceLimit, reached)
      return state.sequenceLimit
    }
  }

  /// Calls `done` once the newest state is on disk, or could not be written.
  func afterWriting(_ done: @escaping @Sendable () -> Void) {
    let isDone = state.withLockedValue { state in
      if state.isWriting { state.waiting.append(done) }
      return !state.isWriting
    }
    if isDone { done() }
  }

  /// Blocks until the last state is on disk as far as possible, and ends the thread.
  func close() async {
    try? await thread.runIfActive { self.writeUntilDone() }
    try? await thread.shutdownGracefully()
  }

  private func writeUntilDone() {
    while true {
      lookIfDue()
      guard let job = next() else { return }
      let began = ContinuousClock.now
      write(job)
      let took = ContinuousClock.now - began
      for done in job.waiting { done() }
      if took > patience { tellSlowness(took) }
    }
  }

  /// Looks whether the folder is still there and holds what was written, and notes what has to be written again.
  private func lookIfDue() {
    let now = ContinuousClock.now
    let isDue = state.withLockedValue { state in
      guard now >= state.nextLook else { return false }
      state.nextLook = now + lookEvery
      return true
    }
    guard isDue else { return }
    // Where it cannot be made, the next step fails and says why.
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let isOurs = lock?.renew() ?? true
    let present = Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    let (missing, wasLost) = state.withLockedValue { state in
      defer { state.isLost = !isOurs }
      return (state.plan.found(present), state.isLost)
    }
    if !isOurs, !wasLost {
      logger.error(
        "the store was taken away and another server uses it now; nothing more is written there. Restart this one.",
        metadata: ["folder": "\(folder)"])
    } else if isOurs, missing > 0 {
      logger.warning(
        """
        files were taken out of the store by somebody else and are made anew; viewers miss nothing. Leave the folder to \
        the server while it runs.
        """, metadata: ["folder": "\(folder)", "files": "\(missing)"])
    }
  }

  private func write(_ job: Job) {
    guard !state.withLockedValue({ $0.isLost }) else { return }
    var isComplete = true
    for step in job.plan.steps(to: job.contents) {
      let isState = step == .write(StreamState.fileName)
      if !isComplete, case .write = step { return }
      // A later one comes already, and this one would say too little.
      if isState, !mayWriteState(job.contents) { return }
      do {
        try willDo(step)
        try perform(step, contents: job.contents)
        state.withLockedValue { state in
          state.plan.did(step, contents: job.contents)
          if isState { state.sequenceLimit = max(state.sequenceLimit, job.contents.reservedSequence) }
        }
      } catch is CancellationError {
        return
      } catch {
        fail(step, error)
        // A playlist must not list what is not there: the rest of this state waits for the next one. What is withdrawn
        // is removed all the same.
        guard isState, job.plan.isWithdrawing(job.contents) else { return }
        isComplete = false
      }
    }
    guard isComplete else { return }
    let wasSetAside = state.withLockedValue { state in
      state.plan.didAll(job.contents)
      defer { state.isSetAside = false }
      return state.isSetAside
    }
    if wasSetAside { try? StoreFile.remove(folder + "/" + StreamState.asideName) }
  }

  private func mayWriteState(_ contents: MirrorContents) -> Bool {
    state.withLockedValue { state in
      guard state.sequenceLimit <= contents.reservedSequence else { return false }
      state.hasNoState = false
      return true
    }
  }

  private func fail(_ step: MirrorPlan.Step, _ error: any Error) {
    let code = error as? Errno
    let isFull = [Errno.noSpace, .diskQuotaExceeded, .fileTooLarge].contains(code)
    let isAside = setStateAside()
    let failures = state.withLockedValue { state in
      if isFull { state.plan.ranOut() }
      // The folder is gone, and the next state makes it anew.
      if code == .noSuchFileOrDirectory { state.nextLook = .now }
      state.failures += 1
      state.isSetAside = true
      state.hasNoState = isAside
      return state.failures
    }
    // The first of a series is logged for the operator; the counter counts the others.
    guard failures & (failures - 1) == 0 else { return }
    let known = code.flatMap { SystemAdvice.advice($0.rawValue) }
    let advice = isFull ? "make space on its disk" : known ?? "check permissions and disk"
    logger.error(
      """
      cannot write to the store; \(advice). Viewers are served from memory meanwhile.
      """,
      metadata: ["folder": "\(folder)", "step": "\(step)", "error": "\(error)", "failures": "\(failures)"])
  }

  /// Puts the state file of an earlier moment aside: numbers go on meanwhile, and a process that came back with those in
  /// the file would count backwards.
  ///
  /// - Returns: whether the folder has no state now.
  private func setStateAside() -> Bool {
    do {
      try StoreFile.rename(folder + "/" + StreamState.fileName, to: folder + "/" + StreamState.asideName)
      return true
    } catch { return error as? Errno == .noSuchFileOrDirectory }
  }

  private func tellSlowness(_ took: Duration) {
    let count = state.withLockedValue { state in
      state.slowWrites += 1
      return state.slowWrites
    }
    guard count & (count - 1) == 0 else { return }
    logger.warning(
      """
      the store's disk is slow: writing took \(took), and there is something new each \(patience). Viewers are served \
      from memory; what the folder holds is late. Use a faster disk, longer parts, or --store memory.
      """, metadata: ["folder": "\(folder)", "times": "\(count)"])
  }

  private func next() -> Job? {
    let (job, waiting) = state.withLockedValue { state -> (Job?, [@Sendable () -> Void]) in
      defer { state.waiting = [] }
      guard let wanted = state.wanted else {
        state.isWriting = false
        return (nil, state.waiting)
      }
      state.wanted = nil
      return (Job(contents: wanted, plan: state.plan, waiting: state.waiting), [])
    }
    for done in waiting { done() }
    return job
  }

  private func perform(_ step: MirrorPlan.Step, contents: MirrorContents) throws {
    switch step {
    case .write(let name):
      let bytes = contents.media[name] ?? contents.documents.first { $0.name == name }?.bytes ?? ByteBuffer()
      try StoreFile.replace(name, in: folder, with: bytes)
    case .remove(let name): try StoreFile.remove(folder + "/" + name)
    }
  }

  /// The content of a file in the folder; `nil` if it does not exist.
  static func file(_ name: String, in folder: String) -> ByteBuffer? {
    FileManager.default.contents(atPath: folder + "/" + name).map { ByteBuffer(bytes: $0) }
  }
}
