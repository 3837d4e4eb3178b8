import NIOCore

/// A page for operators at the private door.
package struct OperatorReport: Sendable {
  let type: String
  let content: @Sendable () -> ByteBuffer

  /// A page of this content type; `content` makes it each time it is asked for.
  package init(type: String, content: @escaping @Sendable () -> ByteBuffer) {
    self.type = type
    self.content = content
  }
}
