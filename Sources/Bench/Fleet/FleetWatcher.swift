import Media
import NIOCore
import Station

/// The connection of a viewer who follows the playlist of one camera by blocking reloads, and notes when each part is
/// there.
final class FleetWatcher: BenchConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let name = "a viewer's connection"

  private let camera: Int
  private let host: String
  private let path: String
  private let fetches: Bool
  let tally: NIOLoopBoundBox<FleetTally>
  var scanner = AnswerScanner()
  private var lateness: PartLateness
  private var newest: NewestPart?
  /// The part that is fetched now.
  private var asked: NewestPart?
  /// The last part that was fetched.
  private var fetched: NewestPart?
  var isOver = false

  /// - Parameters:
  ///   - fetches: whether it takes the parts too, to be compared with the stills.
  ///   - isSameClock: whether the server runs on this machine.
  init(camera: Int, host: String, fetches: Bool, isSameClock: Bool, tally: NIOLoopBoundBox<FleetTally>) {
    (self.camera, self.host, self.fetches, self.tally) = (camera, host, fetches, tally)
    path = "/\(FleetPlan.name(camera))/live.m3u8"
    lateness = PartLateness(isSameClock: isSameClock)
  }

  func begin(_ context: ChannelHandlerContext) { ask(path, context) }

  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) {
    if let part = asked {
      asked = nil
      if answer.status == 200 {
        let follows =
          part.index == 0 || fetched.map { $0.sequence == part.sequence && $0.index == part.index - 1 } ?? false
        tally.value.remember(.init(camera: camera, date: part.date, bytes: answer.body, follows: follows))
        fetched = part
      } else {
        tally.value.note("a part that is listed was answered with status \(answer.status)")
      }
      return ask("\(path)?\(part.reload)", context)
    }
    let text = answer.coding.content(of: answer.body)
    guard answer.status == 200, let part = text.flatMap({ NewestPart($0) }) else {
      // Before the first playlist, and where the server ends.
      if answer.status != 503, answer.status != 404 {
        tally.value.note("a playlist was answered with status \(answer.status), or has no part with a date")
      }
      newest = nil
      context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) {
        if !self.isOver { self.ask(self.path, context) }
      }
      return
    }
    let isNew = newest.map { ($0.sequence, $0.index) != (part.sequence, part.index) } ?? false
    if isNew, let newest {
      let skipped = part.sequence == newest.sequence ? part.index - newest.index - 1 : 0
      let late = lateness.note(part.date, seen: .now, index: part.index, length: part.length)
      tally.value.part(late: late, of: part.length, missing: max(0, skipped))
    }
    newest = part
    guard fetches, isNew else { return ask("\(path)?\(part.reload)", context) }
    asked = part
    ask(resolve(part.address, from: path), context)
  }

  private func ask(_ path: String, _ context: ChannelHandlerContext) {
    ask(path, host: host, codings: "gzip", context)
  }
}
