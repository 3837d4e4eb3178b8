import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Origin

/// Who closes their end behind a whole request is answered as far as that needs no wait.
@Suite struct HangUpHandlerTests {
  private func channel() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel(handler: HangUpHandler(patience: .milliseconds(500)))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    return channel
  }

  private func ask(_ channel: EmbeddedChannel) throws {
    let head = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
    try channel.writeInbound(HTTPRequestPart.head(head))
    try channel.writeInbound(HTTPRequestPart.end(nil))
  }

  private func hangUp(_ channel: EmbeddedChannel) {
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
  }

  @Test func nobodyWhoAskedNothingIsKept() throws {
    let channel = try channel()
    hangUp(channel)
    #expect(!channel.isActive)
  }

  @Test func anAnswerThatComesAtOnceIsSent() throws {
    let channel = try channel()
    try ask(channel)
    hangUp(channel)
    #expect(channel.isActive)
    try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
    try channel.writeOutbound(HTTPResponsePart.end(nil))
    #expect(try channel.readOutbound(as: HTTPResponsePart.self) == .head(HTTPResponse(status: .ok)))
    #expect(try channel.readOutbound(as: HTTPResponsePart.self) == .end(nil))
  }

  @Test func anAnswerThatHasToWaitIsNotWaitedFor() throws {
    let channel = try channel()
    try ask(channel)
    hangUp(channel)
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(600))
    #expect(!channel.isActive)
  }

  @Test func anAnswerGoesOnAsLongAsSomethingComesOfIt() throws {
    let channel = try channel()
    try ask(channel)
    hangUp(channel)
    for _ in 0..<10 {
      channel.embeddedEventLoop.advanceTime(by: .milliseconds(400))
      try channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(string: "x")))
    }
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .milliseconds(1100))
    #expect(!channel.isActive)
  }
}
