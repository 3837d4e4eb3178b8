import HTTPTypes
import Hummingbird
import NIOConcurrencyHelpers
import NIOCore
import Records
import Testing

@testable import Origin

@Suite struct SentCountingTests {
  private let count = NIOLockedValueBox<[Int]>([])

  private func counted(_ response: Response) -> Response {
    SentCounting.counted(response) { bytes in count.withLockedValue { $0.append(bytes) } }
  }

  private struct Taker: ResponseBodyWriter {
    let most: Int
    var bytes = 0
    struct Gone: Error {}
    mutating func write(_ buffer: ByteBuffer) async throws {
      bytes += buffer.readableBytes
      if bytes > most { throw Gone() }
    }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
  }

  @Test func aHeadIsCountedAsItIsWritten() {
    let fields: HTTPFields = [.cacheControl: "no-store", .contentLength: "0"]
    _ = counted(Response(status: .ok, headers: fields))
    let written =
      "HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 0\r\ndate: Sun, 29 Nov 2026 22:50:00 GMT\r\n\r\n"
    #expect(count.withLockedValue { $0 } == [written.utf8.count])
  }

  @Test func aBodyThatIsThereIsCountedAtOnce() {
    _ = counted(Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(repeating: 1, count: 1000))))
    let head = count.withLockedValue { $0[0] } - 1000
    #expect(head > 0 && head < 100)
  }

  @Test func whatHasNoLengthIsCountedAsItIsWritten() async throws {
    let response = counted(
      Response(
        status: .ok,
        body: ResponseBody { writer in
          for _ in 0..<5 { try await writer.write(ByteBuffer(repeating: 1, count: 300)) }
          try await writer.finish(nil)
        }))
    #expect(count.withLockedValue { $0.count } == 1)
    try await response.body.write(Taker(most: .max))
    #expect(count.withLockedValue { $0.dropFirst() } == [300, 300, 300, 300, 300])
  }

  @Test func whatBreaksOffIsCountedAsFarAsItCame() async throws {
    let response = counted(
      Response(
        status: .ok,
        body: ResponseBody(contentLength: 1_000_000) { writer in
          for _ in 0..<10 { try await writer.write(ByteBuffer(repeating: 1, count: 100_000)) }
          try await writer.finish(nil)
        }))
    await #expect(throws: Taker.Gone.self) { try await response.body.write(Taker(most: 250_000)) }
    #expect(count.withLockedValue { $0.dropFirst() } == [100_000, 100_000])
  }
}

@Suite struct WatchingTests {
  @Test(
    arguments: [
      [.secGPC: "1"], [.doNotTrack: "1"], [.secPurpose: "prefetch"], [.secPurpose: "prefetch;prerender"],
      [.purpose: "prefetch"], [.xMoz: "prefetch"], [.xPurpose: "preview"],
    ] as [HTTPFields])
  func whoAsksForItOrFetchesAheadIsNotCounted(fields: HTTPFields) { #expect(!Watching.counts(fields)) }

  @Test(arguments: [[:], [.secGPC: "0"], [.doNotTrack: "0"], [.secPurpose: "other"]] as [HTTPFields])
  func everybodyElseIs(fields: HTTPFields) { #expect(Watching.counts(fields)) }
}
