import Foundation
import NIOCore

extension Encodable {
  /// The value as one line of JSON with its keys in order, as the private listener's reports are served.
  func jsonLine() throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var text = ByteBuffer(bytes: try encoder.encode(self))
    text.writeString("\n")
    return text
  }
}
