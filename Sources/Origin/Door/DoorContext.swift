import Access
import NIOCore

/// What a responder knows about the connection of a request.
struct DoorContext {
  /// The connection.
  let channel: any Channel
  /// Whether the client came by TLS.
  let isSecure: Bool

  /// The address of its other end.
  let connection: ClientAddress

  /// The address that limits go by: that of the connection, or the visitor's behind a named proxy.
  var client: ClientAddress

  init(channel: any Channel, isSecure: Bool = false) {
    (self.channel, self.isSecure) = (channel, isSecure)
    connection = ClientAddress(channel.remoteAddress)
    client = connection
  }
}
