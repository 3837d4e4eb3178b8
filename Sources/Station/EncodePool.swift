import Media
import NIOConcurrencyHelpers
import NIOPosix

/// The encode threads: as many as there are cores, shared by all cameras, separate from the event loops and from
/// Swift's cooperative pool, so that an encode never delays an answer.
package final class EncodePool: TaskExecutor {
  private let threads: NIOThreadPool
  /// How many threads there are.
  let count: Int
  private let time = NIOLockedValueBox(Duration.zero)

  /// A pool of this many threads, running at once.
  package init(threads count: Int) {
    self.count = max(1, count)
    threads = NIOThreadPool(numberOfThreads: self.count)
    threads.start()
  }

  /// The time that all threads together have spent with jobs, also with those that waited for a processor.
  var worked: Ticks { Ticks(time.withLockedValue { $0 }) }

  /// Runs a job on one of the threads.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A pool that was shut down runs later jobs here: a job must run for its task to end.
    threads.submit { _ in
      let began = ContinuousClock.now
      job.runSynchronously(on: self.asUnownedTaskExecutor())
      let took = ContinuousClock.now - began
      self.time.withLockedValue { $0 += took }
    }
  }

  /// Ends the threads once nothing runs on them.
  package func shutDown() async {
    // The only possible error is that the pool was shut down before.
    try? await threads.shutdownGracefully()
  }
}
