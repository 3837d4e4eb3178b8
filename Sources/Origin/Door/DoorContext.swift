import Access
import NIOCore

/// What a responder knows about the connection of a request.
struct DoorContext {
  /// The connection.
  let channel: any Channel
  /// Whether the client came by TLS.
  var isSecure = false

  /// The identity of the TCP connection: over HTTP/2 the channel is that of one request, within the connection's.
  var connection: ObjectIdentifier {
    guard let parent = channel.parent, parent.parent != nil else { return ObjectIdentifier(channel) }
    return ObjectIdentifier(parent)
  }

  /// The address of its other end.
  let peer: ClientAddress

  /// The address that limits go by: that of the connection, or the visitor's behind a named proxy.
  var client: ClientAddress

  init(channel: any Channel, isSecure: Bool = false) {
    self.channel = channel
    self.isSecure = isSecure
    peer = ClientAddress(channel.remoteAddress)
    client = peer
  }
}
