import NIOConcurrencyHelpers
import NIOCore

/// Watches one endless answer of pictures (multipart/x-mixed-replace, RFC 2046, section 5.1).
struct MotionJPEGWatching: Watching {
  let path: String

  func watch(_ tab: Tab) async throws {
    let parts = MultipartReader { headers, jpeg in
      let now = ContinuousClock.now
      tab.client.tally.add { $0.partHeaders += headers }
      tab.log?.add(ViewLog.Picture(jpeg: jpeg, began: now, ended: now))
    }
    _ = try await tab.client.get(path, .media, by: .image) { parts.take($0) }
    throw WireError.ended
  }
}

/// Splits a multipart body, whose parts have a Content-Length, into its parts.
final class MultipartReader: Sendable {
  private let onPart: @Sendable (Int, ByteBuffer) -> Void
  private let rest = NIOLockedValueBox(ByteBuffer())

  /// - Parameter onPart: gets the bytes that are not the part's own, and the part.
  init(_ onPart: @escaping @Sendable (_ headers: Int, _ body: ByteBuffer) -> Void) { self.onPart = onPart }

  /// Takes the next bytes.
  func take(_ bytes: ByteBuffer) {
    let parts = rest.withLockedValue { rest in
      rest.writeImmutableBuffer(bytes)
      var parts: [(Int, ByteBuffer)] = []
      while let part = Self.part(&rest) { parts.append(part) }
      rest.discardReadBytes()
      return parts
    }
    for (headers, body) in parts { onPart(headers, body) }
  }

  private static func part(_ rest: inout ByteBuffer) -> (Int, ByteBuffer)? {
    let view = rest.readableBytesView
    guard let end = view.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: view[..<end.lowerBound], as: UTF8.self).lowercased()
    guard let line = head.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
      let length = Int(line.dropFirst(15).filter { $0 != " " })
    else { return nil }
    let headers = end.upperBound - view.startIndex
    guard rest.readableBytes >= headers + length else { return nil }
    rest.moveReaderIndex(forwardBy: headers)
    return rest.readSlice(length: length).map { (headers, $0) }
  }
}
