import Media
import NIOConcurrencyHelpers
import NIOCore
import Station

/// Listens to events and fetches the newest picture at each still, as the player page does where video does not play.
struct EventsWatching: Watching {
  let path: String
  let picturePath: String

  func watch(_ tab: Tab) async throws {
    let (stills, queue) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    queue.yield()  // The first picture is shown at once.
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        defer { queue.finish() }
        let lines = EventLines { event, _ in if event == "still" { queue.yield() } }
        _ = try await tab.client.get(path, .playlist, by: .events) { lines.take($0) }
        throw WireError.ended
      }
      group.addTask {
        for await _ in stills {
          let loaded = try await tab.load("\(picturePath)?\(WallTime.now.milliseconds)", .media, by: .image)
          tab.log?.add(ViewLog.Picture(jpeg: loaded.body, began: loaded.began, ended: loaded.ended))
        }
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

/// Reads events out of a stream of them (WHATWG HTML, section 9.2.6), as far as one line of data needs it.
final class EventLines: Sendable {
  private struct State {
    var rest = ""
    var (name, data) = ("", "")
  }

  private let onEvent: @Sendable (String, String) -> Void
  private let state = NIOLockedValueBox(State())

  /// - Parameter onEvent: is given the name and the data of each.
  init(_ onEvent: @escaping @Sendable (_ event: String, _ data: String) -> Void) { self.onEvent = onEvent }

  /// Takes the next bytes.
  func take(_ bytes: ByteBuffer) {
    let events = state.withLockedValue { state in
      state.rest += String(buffer: bytes)
      var events: [(String, String)] = []
      while let end = state.rest.firstIndex(of: "\n") {
        let line = state.rest[..<end]
        if line.hasPrefix("event: ") { state.name = String(line.dropFirst(7)) }
        if line.hasPrefix("data: ") { state.data = String(line.dropFirst(6)) }
        if line.isEmpty {
          if !state.name.isEmpty { events.append((state.name, state.data)) }
          (state.name, state.data) = ("", "")
        }
        state.rest.removeSubrange(...end)
      }
      return events
    }
    for (event, data) in events { onEvent(event, data) }
  }
}
