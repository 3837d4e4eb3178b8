import Access
import NIOCore

/// What a responder knows about the connection of a request.
struct DoorContext {
  /// The connection.
  let channel: any Channel
  /// Whether the client came by TLS.
  var isSecure = false

  /// The address of its other end.
  var client: ClientAddress { ClientAddress(channel.remoteAddress) }
}
