import Access
import Hummingbird
import NIOCore

/// What a responder knows of the connection that a request came by.
struct DoorContext: InitializableFromSource {
  /// The connection.
  let channel: any Channel

  /// Where its other end is.
  var client: ClientAddress { ClientAddress(channel.remoteAddress) }

  init(source: ApplicationRequestContextSource) { channel = source.channel }
}
