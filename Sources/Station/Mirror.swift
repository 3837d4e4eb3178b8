import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Keeps a camera's folder equal to what is published, so that any web server can serve it.
///
/// Writing happens on a thread of its own and never holds up the loop. Every file appears by a rename, whole or not at
/// all. What cannot be written is logged and tried again with the next state.
package final class Mirror: Sendable {
  private struct State {
    var wanted: MirrorContents?
    var isWriting = false
    var plan: MirrorPlan
    var failures = 0
  }

  private let folder: String
  private let logger: Logger
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let state: Mutex<State>

  /// A mirror in `folder`, which is made if need be. Files in it that look like media of ours are known and will be
  /// removed when they are not listed any more; others are left alone.
  ///
  /// - Throws: the file system's error when the folder cannot be made or read.
  init(folder: String, logger: Logger) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let present = try FileManager.default.contentsOfDirectory(atPath: folder)
    for name in present where name.hasPrefix(Self.temporaryPrefix) {
      try? FileManager.default.removeItem(atPath: folder + "/" + name)
    }
    state = Mutex(State(plan: MirrorPlan(present: Set(present.filter { $0.hasSuffix(".mp4") }))))
    self.folder = folder
    self.logger = logger
    thread.start()
  }

  /// How many writes have failed.
  var failures: Int { state.withLock { $0.failures } }

  /// Says what the folder should hold from now on.
  func update(_ contents: MirrorContents) {
    let starts = state.withLock { state in
      state.wanted = contents
      defer { state.isWriting = true }
      return !state.isWriting
    }
    if starts { thread.submit { _ in self.writeUntilDone() } }
  }

  /// Waits until the last state is on disk as far as it can be, and ends the thread.
  func close() async {
    try? await thread.runIfActive { self.writeUntilDone() }
    try? await thread.shutdownGracefully()
  }

  private func writeUntilDone() {
    while let (contents, plan) = next() {
      for step in plan.steps(to: contents) {
        do {
          try perform(step, contents: contents)
          state.withLock { $0.plan.did(step, contents: contents) }
        } catch {
          // A playlist must not list what is not there: the rest of this state waits for the next one.
          let failures = state.withLock { state in
            state.failures += 1
            return state.failures
          }
          if failures & (failures - 1) == 0 {
            logger.error(
              "cannot write to the store; check its space and rights. Viewers are served from memory meanwhile.",
              metadata: ["folder": "\(folder)", "step": "\(step)", "error": "\(error)", "failures": "\(failures)"])
          }
          break
        }
      }
    }
  }

  private func next() -> (MirrorContents, MirrorPlan)? {
    state.withLock { state in
      guard let wanted = state.wanted else {
        state.isWriting = false
        return nil
      }
      state.wanted = nil
      return (wanted, state.plan)
    }
  }

  private static let temporaryPrefix = ".quietcam-"

  private func perform(_ step: MirrorPlan.Step, contents: MirrorContents) throws {
    switch step {
    case .write(let name):
      let bytes = contents.media[name] ?? contents.documents.first { $0.name == name }?.bytes ?? ByteBuffer()
      try Self.replace(name, in: folder, with: bytes)
    case .remove(let name):
      guard unlink(folder + "/" + name) == 0 || errno == ENOENT else {
        throw IOError(errnoCode: errno, reason: "unlink \(name)")
      }
    }
  }

  /// Writes a file beside its place and renames it there.
  static func replace(_ name: String, in folder: String, with bytes: ByteBuffer) throws {
    let temporary = folder + "/" + temporaryPrefix + name
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open \(name)") }
    do {
      defer { Glibc.close(descriptor) }
      try bytes.withUnsafeReadableBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
          guard count >= 0 || errno == EINTR else { throw IOError(errnoCode: errno, reason: "write \(name)") }
          written += max(count, 0)
        }
      }
      guard rename(temporary, folder + "/" + name) == 0 else {
        throw IOError(errnoCode: errno, reason: "rename \(name)")
      }
    } catch {
      unlink(temporary)
      throw error
    }
  }
}
