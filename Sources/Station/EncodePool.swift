import Media
import NIOConcurrencyHelpers
import NIOPosix

/// The encode threads: as many as there are cores, shared by all cameras, separate from the event loops and from
/// Swift's cooperative pool, so that an encode never delays an answer.
package final class EncodePool: TaskExecutor {
  private let threads: NIOThreadPool
  /// How many threads there are.
  let count: Int
  private let time = NIOLockedValueBox((worked: Duration.zero, ran: Duration.zero))

  /// A pool of this many threads, running at once.
  package init(threads count: Int) {
    self.count = max(1, count)
    threads = NIOThreadPool(numberOfThreads: self.count)
    threads.start()
  }

  /// The time that all threads together have spent with jobs, also with those that waited for a processor.
  var worked: Ticks { Ticks(time.withLockedValue { $0.worked }) }

  /// The processor time that they had for these jobs.
  var ran: Ticks { Ticks(time.withLockedValue { $0.ran }) }

  /// Runs a job on one of the threads.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A pool that was shut down runs later jobs here: a job must run for its task to end.
    threads.submit { _ in
      let (began, ran) = (ContinuousClock.now, ThreadTime.now)
      job.runSynchronously(on: self.asUnownedTaskExecutor())
      let took = (ContinuousClock.now - began, ThreadTime.now - ran)
      self.time.withLockedValue { $0 = ($0.worked + took.0, $0.ran + took.1) }
    }
  }

  /// Ends the threads once nothing runs on them.
  package func shutDown() async {
    // The only possible error is that the pool was shut down before.
    try? await threads.shutdownGracefully()
  }
}
