import ServiceLifecycle

/// A service that the service group logs by its type alone: at the level trace it logs all that it has otherwise, and
/// several of them have secrets.
struct NamedService: Service, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let service: any Service

  /// The same service.
  init(_ service: any Service) { self.service = service }

  /// The type's name.
  var description: String { "\(type(of: service))" }
  /// The same.
  var debugDescription: String { description }
  /// Without the service's properties.
  var customMirror: Mirror { Mirror(self, children: []) }

  func run() async throws { try await service.run() }
}
