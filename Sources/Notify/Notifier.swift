import Logging
import Media
import NIOConcurrencyHelpers
import ServiceLifecycle

/// Observes once a second, and tells the receivers what the operator wants to hear of. It owns all queues; a receiver
/// that hangs or is away keeps its own queue waiting and nothing else.
package final class Notifier: Service {
  /// How it gets to know things and time.
  package struct Sources: Sendable {
    /// What is observed now.
    package let observe: @Sendable () -> Observation
    /// Where a camera can be seen.
    package let link: @Sendable (String, Observation) -> Notice.CameraLink?
    /// Monotonic time.
    package let now: @Sendable () -> Ticks
    /// Civil time.
    package let wall: @Sendable () -> WallTime

    /// These sources.
    package init(
      observe: @escaping @Sendable () -> Observation,
      link: @escaping @Sendable (String, Observation) -> Notice.CameraLink?,
      now: @escaping @Sendable () -> Ticks, wall: @escaping @Sendable () -> WallTime
    ) {
      self.observe = observe
      self.link = link
      self.now = now
      self.wall = wall
    }
  }

  /// What the operator can know of one receiver.
  package struct Report: Sendable {
    /// Scheme, host and port.
    package let name: String
    /// Notices that wait.
    package let waiting: Int
    /// Whether the last try failed.
    package let isFailing: Bool
    /// What was counted.
    package let counters: NoticeQueue.Counters
  }

  private struct State: Sendable {
    var settings: NotifySettings
    var signature: WebhookSignature
    var queues: [WebhookAddress: NoticeQueue] = [:]
    var started: Int64 = 0
  }

  /// How many notices wait for a receiver besides the newest states of all cameras.
  private static let mostWaiting = 100
  /// How many topics a camera has.
  private static let topics = 3

  private let sources: Sources
  private let logger: Logger
  private let cameras: Int
  private let state: NIOLockedValueBox<State>

  /// A notifier that has told nothing.
  ///
  /// - Parameter cameras: how many cameras there are about.
  package init(_ settings: NotifySettings, cameras: Int, sources: Sources, logger: Logger) {
    self.sources = sources
    self.cameras = cameras
    self.logger = logger
    state = NIOLockedValueBox(
      State(settings: settings, signature: WebhookSignature(secret: settings.secret)))
    replace(with: settings)
  }

  /// Takes other settings: a receiver that stays keeps what waits for it.
  package func replace(with settings: NotifySettings) {
    state.withLockedValue { state in
      state.settings = settings
      state.signature = WebhookSignature(secret: settings.secret)
      let kept = Set(settings.receivers)
      state.queues = state.queues.filter { kept.contains($0.key) }
      for receiver in kept where state.queues[receiver] == nil {
        let name = "msg_\(String(UInt64.random(in: .min ... .max), radix: 36))"
        state.queues[receiver] = NoticeQueue(most: Self.mostWaiting + cameras * Self.topics, name: name)
      }
    }
  }

  /// What the operator can know of the receivers, in the order of the settings.
  package var reports: [Report] {
    state.withLockedValue { state in
      state.settings.receivers.compactMap { receiver in
        state.queues[receiver].map {
          Report(name: receiver.name, waiting: $0.count, isFailing: $0.isFailing, counters: $0.counters)
        }
      }
    }
  }

  /// Observes and tells until graceful shutdown or cancellation; what waits then is lost.
  package func run() async throws {
    let sender = WebhookSender()
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        var watch = NoticeWatch()
        while !Task.isCancelled {
          self.look(&watch)
          let receivers = self.state.withLockedValue { $0.settings.receivers }
          for receiver in receivers {
            // Each has at most one message on its way, so at most one task.
            guard let attempt = self.next(for: receiver) else { continue }
            group.addTask { await self.deliver(attempt, to: receiver, with: sender) }
          }
          try? await Task.sleep(for: .seconds(1))
        }
        group.cancelAll()
      }
    }
    await sender.close()
  }

  private func look(_ watch: inout NoticeWatch) {
    // Without receivers nothing is remembered: a receiver that is added later hears of what happens from then on.
    guard state.withLockedValue({ !$0.queues.isEmpty }) else {
      watch = NoticeWatch()
      return
    }
    let observation = sources.observe()
    let notices = watch.notices(in: observation, at: sources.now(), wall: sources.wall()) {
      sources.link($0, observation)
    }
    guard !notices.isEmpty else { return }
    state.withLockedValue { state in
      for receiver in state.queues.keys { for notice in notices { state.queues[receiver]?.add(notice) } }
    }
  }

  private func next(for receiver: WebhookAddress) -> NoticeQueue.Attempt? {
    let now = sources.now()
    return state.withLockedValue { $0.queues[receiver]?.next(at: now) }
  }

  /// Sends a message, and those behind it as long as it goes well.
  private func deliver(_ first: NoticeQueue.Attempt, to receiver: WebhookAddress, with sender: WebhookSender) async {
    var attempt: NoticeQueue.Attempt? = first
    while let current = attempt {
      let signature = state.withLockedValue { $0.signature }
      let result = await sender.send(current, to: receiver, signature: signature, time: sources.wall())
      if Task.isCancelled { return }
      let now = sources.now()
      let (wait, waiting) = state.withLockedValue { state -> (Ticks?, Int) in
        let wait = state.queues[receiver]?.finish(result.outcome, at: now, random: .random(in: 0...UInt32.max))
        return (wait ?? nil, state.queues[receiver]?.count ?? 0)
      }
      tell(result, of: current, to: receiver, wait: wait, waiting: waiting)
      attempt = next(for: receiver)
    }
  }

  /// The first failure of a series is worth a warning, and its end a line.
  private func tell(
    _ result: WebhookSender.Result, of attempt: NoticeQueue.Attempt, to receiver: WebhookAddress, wait: Ticks?,
    waiting: Int
  ) {
    let metadata: Logger.Metadata = ["receiver": "\(receiver.name)", "waiting": "\(waiting)"]
    switch (result.outcome, wait) {
    case (.taken, _):
      if attempt.tries > 1 {
        logger.notice("a notification arrived at the \(attempt.tries). try", metadata: metadata)
      }
    case (_, nil):
      logger.error("a notification is given up: \(result.words)", metadata: metadata)
    case (_, let wait?):
      logger.log(
        level: attempt.tries == 1 ? .warning : .debug,
        "a notification did not arrive: \(result.words); it is tried again after \(wait.milliseconds / 1000) s",
        metadata: metadata)
    }
  }
}
