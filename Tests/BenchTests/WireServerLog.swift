import NIOConcurrencyHelpers

/// The requests that a server got, byte for byte.
final class WireServerLog: Sendable {
  private let requests = NIOLockedValueBox<[String]>([])

  var all: [String] { requests.withLockedValue { $0 } }

  func add(_ request: String) { requests.withLockedValue { $0.append(request) } }
}
