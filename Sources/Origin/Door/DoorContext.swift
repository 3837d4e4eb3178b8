import Access
import NIOCore

/// What a responder knows about the connection of a request.
struct DoorContext {
  /// The connection.
  let channel: any Channel

  /// The address of its other end.
  var client: ClientAddress { ClientAddress(channel.remoteAddress) }
}
