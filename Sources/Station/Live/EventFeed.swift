import Media
import NIOConcurrencyHelpers

/// The events of one camera: the newest few, and the listeners that wait for the next.
///
/// All events go through it. A listener only keeps the id of the last event that it got.
package final class EventFeed: Sendable {
  /// The most tasks that can wait for events of one camera.
  package static let maxListeners = 20_000
  /// How many events are kept for listeners that return with a Last-Event-ID.
  static let keptEvents = 256

  private struct State {
    var events: [CameraEvent] = []
    var newestID: Int64 = 0
    var listeners = WaitList<Int64, Void>(most: EventFeed.maxListeners)
  }

  private let state = NIOLockedValueBox(State())

  init() {}

  /// The id below the next event's, where a new listener begins.
  package var newestID: Int64 { state.withLockedValue { $0.newestID } }

  /// How many tasks wait for events.
  package var listeners: Int { state.withLockedValue { $0.listeners.count } }

  /// Sends an event to all listeners.
  func add(_ content: CameraEvent.Content, at time: WallTime) {
    let reached = state.withLockedValue { state in
      state.newestID = max(state.newestID + 1, time.milliseconds)
      state.events.append(CameraEvent(id: state.newestID, content))
      if state.events.count > Self.keptEvents { state.events.removeFirst() }
      return state.listeners.take(reaching: state.newestID)
    }
    for listener in reached { listener.resume(returning: .published(())) }
  }

  /// Forgets the events that are kept for returning listeners.
  func forget() { state.withLockedValue { $0.events = [] } }

  /// Ends the waits whose time is over or whose client has gone.
  func expire(at now: ContinuousClock.Instant) { state.expire(\.listeners, at: now) }

  /// Ends all waits, now and later.
  func end() {
    for listener in state.withLockedValue({ $0.listeners.end() }) { listener.resume(returning: .ended) }
  }

  /// The events after `id` that are still kept, waiting for one until the deadline; empty if none came, `nil` if the
  /// stream has ended or too many listen.
  ///
  /// - Parameter isWanted: called about twice a second; `false` ends the wait and frees its place.
  package func events(
    after id: Int64, deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> [CameraEvent]? {
    let outcome = await state.wait(in: \.listeners, for: id + 1, deadline: deadline, isWanted: isWanted) { state in
      (state.events.last?.id ?? 0) > id ? () : nil
    }
    if case .refused = outcome { return nil }
    return state.withLockedValue { state in
      state.listeners.isEnded ? nil : state.events.filter { $0.id > id }
    }
  }
}
