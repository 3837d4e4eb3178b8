import NIOPosix

/// The encode threads: as many as there are cores, shared by all cameras, apart from the event loops and from Swift's
/// cooperative pool, so that an encode never holds up an answer.
package final class EncodePool: TaskExecutor {
  private let threads: NIOThreadPool

  /// A pool of so many threads, running at once.
  package init(threads count: Int) {
    threads = NIOThreadPool(numberOfThreads: max(1, count))
    threads.start()
  }

  /// Runs a job on one of the threads.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // A pool that has been shut down runs what still comes right here: a job must run for its task to end.
    threads.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  /// Ends the threads once nothing runs on them any more.
  package func shutDown() async {
    // The only error there is says that the pool was shut down before.
    try? await threads.shutdownGracefully()
  }
}
