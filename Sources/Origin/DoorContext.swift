import Hummingbird
import Logging
import NIOCore

/// What a responder knows of the connection that a request came by.
struct DoorContext: InitializableFromSource {
  /// The connection.
  let channel: any Channel
  /// A logger that names the request.
  let logger: Logger

  init(source: ApplicationRequestContextSource) {
    channel = source.channel
    logger = source.logger
  }
}
