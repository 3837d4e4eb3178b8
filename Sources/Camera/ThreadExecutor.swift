import Foundation
import NIOConcurrencyHelpers

/// A thread of its own for an actor whose calls block, so that they never block a thread of Swift's cooperative pool.
package final class ThreadExecutor: SerialExecutor {
  private let work: Work

  package init(name: String) {
    let work = Work()
    self.work = work
    let thread = Thread { work.run() }
    thread.name = name
    thread.start()
  }

  deinit { work.finish() }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    work.add { [executor = asUnownedSerialExecutor()] in job.runSynchronously(on: executor) }
  }

  /// What the executor and its thread share. The thread ends when the executor is gone and the queue is empty.
  private final class Work: Sendable {
    private let jobs = NIOLockedValueBox<(queue: [@Sendable () -> Void], isFinished: Bool)>(([], false))
    private let signal = DispatchSemaphore(value: 0)

    func add(_ job: @escaping @Sendable () -> Void) {
      jobs.withLockedValue { $0.queue.append(job) }
      signal.signal()
    }

    func finish() {
      jobs.withLockedValue { $0.isFinished = true }
      signal.signal()
    }

    func run() {
      while true {
        signal.wait()
        let (job, isFinished) = jobs.withLockedValue { jobs in
          (jobs.queue.isEmpty ? nil : jobs.queue.removeFirst(), jobs.isFinished)
        }
        if let job { job() } else if isFinished { return }
      }
    }
  }
}
