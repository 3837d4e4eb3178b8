import Access
import NIOCore

/// What a responder knows about the connection of a request.
struct DoorContext {
  /// The connection.
  let channel: any Channel

  /// The identity of the TCP connection: over HTTP/2 the channel is that of one request, within the connection's.
  var connection: ObjectIdentifier {
    guard let parent = channel.parent, parent.parent != nil else { return ObjectIdentifier(channel) }
    return ObjectIdentifier(parent)
  }

  /// The address of its other end.
  var client: ClientAddress { ClientAddress(channel.remoteAddress) }
}
