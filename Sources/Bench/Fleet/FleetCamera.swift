import Media
import NIOCore
import Station

/// The connection of one camera that sends stills, one after another at their times.
final class FleetCamera: BenchConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let name = "a camera's connection"

  private let plan: FleetPlan
  private let camera: Int
  private let start: NIODeadline
  private let heads: [ByteBuffer]
  private let isCompared: Bool
  let tally: NIOLoopBoundBox<FleetTally>
  var scanner = AnswerScanner()
  private var number = 0
  private var isWaiting = false
  var isOver = false

  /// A camera of a plan.
  ///
  /// - Parameters:
  ///   - start: when the first camera's first still is due.
  ///   - isCompared: whether it notes what it sends.
  init(
    _ plan: FleetPlan, camera: Int, host: String, token: String, start: NIODeadline, isCompared: Bool,
    tally: NIOLoopBoundBox<FleetTally>
  ) {
    (self.plan, self.camera, self.start) = (plan, camera, start)
    (self.isCompared, self.tally) = (isCompared, tally)
    heads = plan.stills.map { still in
      ByteBuffer(
        string: """
          POST /ingest/\(FleetPlan.name(camera)) HTTP/1.1\r
          Host: \(host)\r
          Authorization: Bearer \(token)\r
          Content-Type: image/jpeg\r
          Content-Length: \(still.readableBytes)\r
          \r

          """)
    }
  }

  func begin(_ context: ChannelHandlerContext) { wait(context) }

  private var due: NIODeadline { start + TimeAmount(plan.due(number, of: camera).duration) }

  private func wait(_ context: ChannelHandlerContext) {
    context.eventLoop.assumeIsolated().scheduleTask(deadline: due) { if !self.isOver { self.send(context) } }
  }

  private func send(_ context: ChannelHandlerContext) {
    if isWaiting {
      tally.value.skip()
    } else {
      let still = plan.still(number, of: camera)
      tally.value.send(late: NIODeadline.now() - due)
      if isCompared { tally.value.remember(.init(camera: camera, still: still, time: .now)) }
      context.write(wrapOutboundOut(heads[still]), promise: nil)
      context.writeAndFlush(wrapOutboundOut(plan.stills[still]), promise: nil)
      isWaiting = true
    }
    number += 1
    wait(context)
  }

  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) {
    isWaiting = false
    tally.value.answer(answer.status)
  }
}
