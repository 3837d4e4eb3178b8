import Access
import NIOCore

/// What a responder knows of the connection that a request came by.
struct DoorContext {
  /// The connection.
  let channel: any Channel

  /// Where its other end is.
  var client: ClientAddress { ClientAddress(channel.remoteAddress) }
}
