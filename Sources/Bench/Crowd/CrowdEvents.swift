import Foundation
import NIOCore

/// The connection by which a viewer of photos hears of each new one.
final class CrowdEvents: BenchConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private struct Still: Decodable { let photo: String? }

  static let name = "a connection with events"

  private let host: String
  private let path: String
  private let lines: EventLines
  let tally: NIOLoopBoundBox<CrowdTally>
  var scanner = AnswerScanner()
  private var context: ChannelHandlerContext?
  var isOver = false

  /// - Parameters:
  ///   - host: the server's, with its port.
  ///   - path: the playlist, beside which the events are.
  ///   - heard: is called with the name of each new photo, `nil` where none is kept.
  init(
    host: String, path: String, tally: NIOLoopBoundBox<CrowdTally>, heard: @escaping @Sendable (String?) -> Void
  ) {
    (self.host, self.path, self.tally) = (host, resolve("events", from: path), tally)
    lines = EventLines { event, data in
      if event == "still" { heard((try? JSONDecoder().decode(Still.self, from: Data(data.utf8)))?.photo) }
    }
  }

  func begin(_ context: ChannelHandlerContext) {
    guard !isOver else { return context.close(promise: nil) }
    self.context = context
    ask(path, host: host, codings: "identity", context)
  }

  func received(_ count: Int, _ context: ChannelHandlerContext) {
    tally.value.add(bytes: count)
    if !isOver { lines.take(scanner.takeBody()) }
  }

  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) throws {
    if answer.status != 200 {
      tally.value.add(
        .playlist, status: answer.status, name: path, body: answer.body, isFinal: false,
        at: Int64(NIODeadline.now().uptimeNanoseconds))
    }
    end("the events ended with status \(answer.status)", context)
  }

  func ended(unforeseen: Bool) { context = nil }

  /// The viewer leaves.
  func leave() {
    isOver = true
    context?.close(promise: nil)
  }
}
