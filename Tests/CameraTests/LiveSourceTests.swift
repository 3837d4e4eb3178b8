import Media
import NIOCore
import Picture
import Testing

@testable import Camera

@Suite struct LiveSourceTests {
  private func pictures(_ count: Int) throws -> [ByteBuffer] {
    var source = try FrameSource(MediaLocation("lavfi:testsrc2=size=64x64:rate=10"), interrupt: MediaInterrupt())
    var pictures: [ByteBuffer] = []
    while pictures.count < count, case .picture = try source.advance() { pictures.append(try source.jpeg()) }
    return pictures
  }

  private func beat(_ index: Int64) -> Beat { Beat(index: index, time: .milliseconds(200 * index)) }

  @Test func eachBeatGetsThePictureThatComesNextUntouched() async throws {
    let pictures = try pictures(40)
    let server = try await ScriptedServer.start([.stream(pictures, milliseconds: 50)])
    let source = try await PushSource.open(
      "http://127.0.0.1:\(server.port)/", every: .seconds(2), loop: false, quality: 75)
    var got: [Int] = []
    for index in Int64(0)..<5 {
      guard case .still(let still) = try await source.next(beat(index)) else { continue }
      got.append(try #require(pictures.firstIndex(of: still)))
      try await Task.sleep(for: .milliseconds(120))
    }
    #expect(got.count == 5)
    // Between two beats pictures passed that nobody kept.
    #expect(zip(got, got.dropFirst()).allSatisfy { $1 - $0 >= 2 })
    source.stop()
    try await server.stop()
  }

  @Test func aCameraThatGoesAwayIsOpenedAgain() async throws {
    let pictures = try pictures(4)
    let server = try await ScriptedServer.start([.stream(pictures, milliseconds: 30)])
    let source = try await PushSource.open(
      "http://127.0.0.1:\(server.port)/", every: .seconds(2), loop: false, quality: 75)
    var stills = 0
    var index: Int64 = 0
    while stills < 10, index < 100 {
      if case .still = try await source.next(beat(index)) { stills += 1 }
      index += 1
    }
    #expect(stills == 10)
    // Four pictures came with each.
    #expect(server.requests.count >= 3)
    source.stop()
    try await server.stop()
  }

  @Test func aWaitingBeatGetsThePictureAndTheNextBeatDoesNotGetItAgain() async {
    let slot = LiveSlot()
    slot.put(ByteBuffer(string: "a"))
    slot.put(ByteBuffer(string: "b"))
    slot.giveUp(0)
    #expect(await slot.wait(0) == .still(ByteBuffer(string: "b")))
    #expect(!slot.isWanted)
    slot.tell("gone")
    slot.giveUp(1)
    #expect(await slot.wait(1) == .nothing("gone"))
    #expect(slot.isWanted)
  }

  @Test func aBeatThatGaveUpAfterItsPictureDoesNotCutTheNextShort() async {
    let slot = LiveSlot()
    slot.giveUp(0)
    async let next = slot.wait(1)
    try? await Task.sleep(for: .milliseconds(20))
    slot.put(ByteBuffer(string: "a"))
    slot.giveUp(1)
    #expect(await next == .still(ByteBuffer(string: "a")))
  }
}
