import Hummingbird
import NIOCore

/// What a responder knows of the connection that a request came by.
struct DoorContext: InitializableFromSource {
  /// The connection.
  let channel: any Channel

  init(source: ApplicationRequestContextSource) { channel = source.channel }
}
