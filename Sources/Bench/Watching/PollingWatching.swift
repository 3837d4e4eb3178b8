import Media
import NIOCore
import Station

/// Requests a picture again and again at a steady interval.
struct PollingWatching: Watching {
  let path: String
  let every: Ticks
  /// Whether each request has a name of its own, as on pages that do not rely on caches.
  let isByNewName: Bool
  /// How long it waits before the first request.
  let phase: Ticks

  func watch(_ tab: Tab) async throws {
    let start = ContinuousClock.now + phase.duration
    try await Task.sleep(until: start, clock: .continuous)
    var round: Int64 = 0
    while !Task.isCancelled {
      let target = isByNewName ? "\(path)?\(WallTime.now.milliseconds)" : path
      let loaded = try await tab.load(target, .media, by: isByNewName ? .image : .script)
      if loaded.isNew {
        tab.log?.add(ViewLog.Picture(jpeg: loaded.body, began: loaded.began, ended: loaded.ended))
      }
      round += 1
      try await Task.sleep(until: start + (every * round).duration, clock: .continuous)
    }
  }
}
