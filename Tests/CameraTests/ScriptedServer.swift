import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import TestSupport

/// A server that takes stills, or gives them, by a script.
final class ScriptedServer: Sendable {
  enum Answer: Sendable {
    case status(Int, headers: [String: String] = [:], body: String = "")
    case picture(ByteBuffer, type: String)
    /// Parts of a multipart/x-mixed-replace body, so many milliseconds apart, and then the end of the connection.
    case stream([ByteBuffer], milliseconds: Int64)
    case close
    case silence

    fileprivate var steps: [TestServer.Step] {
      switch self {
      case .status(let status, let headers, let body):
        return TestServer.whole(status, HTTPHeaders(headers.map { ($0.key, $0.value) }), ByteBuffer(string: body))
      case .picture(let picture, let type): return TestServer.whole(200, ["Content-Type": type], picture)
      case .close: return [.close]
      case .silence: return []
      case .stream(let parts, let pause):
        let type = "multipart/x-mixed-replace;boundary=edge"
        let head = HTTPResponseHead(version: .http1_0, status: .ok, headers: ["Content-Type": type])
        let pieces = parts.flatMap { part -> [TestServer.Step] in
          var bytes = ByteBuffer(string: "--edge\r\nContent-Type: image/jpeg\r\n")
          bytes.writeString("Content-Length: \(part.readableBytes)\r\n\r\n")
          bytes.writeImmutableBuffer(part)
          bytes.writeString("\r\n")
          return [.body(bytes), .wait(.milliseconds(pause))]
        }
        return [.head(head)] + pieces + [.close]
      }
    }
  }

  private let server: TestServer

  /// Answers by `script`, and by its last line ever after.
  static func start(_ script: [Answer]) async throws -> ScriptedServer {
    let script = NIOLockedValueBox(script)
    return ScriptedServer(
      try await TestServer.start { _ in
        script.withLockedValue { $0.count > 1 ? $0.removeFirst() : $0[0] }.steps
      })
  }

  private init(_ server: TestServer) { self.server = server }

  var port: Int { server.port }
  var url: String { "http://127.0.0.1:\(port)/ingest/desk" }
  var requests: [TestServer.Request] { server.requests }
  var connections: Int { server.connections }

  func stop() async throws { try await server.stop() }
}
