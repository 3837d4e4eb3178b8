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
        let lines = EventLines { event in if event == "still" { queue.yield() } }
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

/// Reads the names of events out of a stream of them (WHATWG HTML, section 9.2.6).
final class EventLines: Sendable {
  private let onEvent: @Sendable (String) -> Void
  private let rest = NIOLockedValueBox("")

  init(_ onEvent: @escaping @Sendable (_ event: String) -> Void) { self.onEvent = onEvent }

  /// Takes the next bytes.
  func take(_ bytes: ByteBuffer) {
    let events = rest.withLockedValue { rest in
      rest += String(buffer: bytes)
      var events: [String] = []
      while let end = rest.firstIndex(of: "\n") {
        let line = rest[..<end]
        if line.hasPrefix("event: ") { events.append(String(line.dropFirst(7))) }
        rest.removeSubrange(...end)
      }
      return events
    }
    for event in events { onEvent(event) }
  }
}
