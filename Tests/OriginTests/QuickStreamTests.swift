import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Origin

/// What is answered on the event loop of an HTTP/2 connection, and what goes on from there.
@Suite struct QuickStreamTests {
  private let world: QuickWorld

  init() throws { world = try QuickWorld() }

  @Test func aRequestByHTTP2IsAnsweredWithoutTheHandlersAbove() throws {
    let stream = try world.stream()
    try ask(stream, .get, "/desk/7.1.mp4")
    let (status, body) = try answer(stream)
    #expect(status == .ok)
    #expect(body == "part-1")
    #expect(world.installed == 0)
  }

  @Test func aBlockingReloadByHTTP2IsAnsweredWithThePart() throws {
    let stream = try world.stream()
    try ask(stream, .get, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    #expect(try answer(stream).status == nil)
    world.publish(parts: 3)
    stream.embeddedEventLoop.run()
    let (status, body) = try answer(stream)
    #expect(status == .ok)
    #expect(body.contains("7.2.mp4"))
  }

  @Test(arguments: [(HTTPRequest.Method.get, "/"), (.post, "/desk/7.0.mp4"), (.get, "/hidden/7.0.mp4")])
  func otherRequestsByHTTP2GoOn(method: HTTPRequest.Method, path: String) throws {
    let stream = try world.stream()
    try ask(stream, method, path)
    #expect(world.installed == 1)
    #expect(try answer(stream).status == nil)
    guard case .head(let head)? = try stream.readInbound(as: HTTPRequestPart.self) else {
      Issue.record("no head went on")
      return
    }
    #expect(head.path == path)
    guard case .end? = try stream.readInbound(as: HTTPRequestPart.self) else {
      Issue.record("no end went on")
      return
    }
  }

  @Test func aRequestByHTTP2WithoutAnEndIsNotWaitedForForEver() throws {
    let stream = try world.stream()
    try stream.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/desk/7.0.mp4")))
    stream.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(stream.isActive)
    stream.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!stream.isActive)
  }

  private func ask(_ stream: EmbeddedChannel, _ method: HTTPRequest.Method, _ path: String) throws {
    try stream.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: method, scheme: "https", authority: "a", path: path)))
    try stream.writeInbound(HTTPRequestPart.end(nil))
  }

  private func answer(_ stream: EmbeddedChannel) throws -> (status: HTTPResponse.Status?, body: String) {
    var (status, body): (HTTPResponse.Status?, String) = (nil, "")
    while let part = try stream.readOutbound(as: HTTPResponsePart.self) {
      switch part {
      case .head(let head): status = head.status
      case .body(let bytes): body += String(buffer: bytes)
      case .end: break
      }
    }
    return (status, body)
  }
}
