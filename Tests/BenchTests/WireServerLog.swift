import Synchronization

/// The requests that a server got, byte for byte.
final class WireServerLog: Sendable {
  private let requests = Mutex<[String]>([])

  var all: [String] { requests.withLock { $0 } }

  func add(_ request: String) { requests.withLock { $0.append(request) } }
}
