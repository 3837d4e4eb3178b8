import NIOCore
import NIOPosix

/// What is to be done on one event loop after a time, nearly all of which is called off before. Used on that loop.
///
/// NIO looks through all that is scheduled to take one task out of it. With thousands of connections, each with its
/// deadlines, that costs more than an answer; here it costs the same with any number of them. Deadlines that are close
/// together share one task of NIO's, which stays scheduled when they are called off.
final class LoopDeadlines {
  /// Times are rounded up to multiples of it, in nanoseconds of the event loop's clock. A second has 32 of them.
  private static let grain: UInt64 = 31_250_000
  /// Times that are further away than 8 s, to multiples of a quarter of a second.
  private static let (far, coarse): (UInt64, UInt64) = (8 * 32, 8)

  private static let ofThread = ThreadSpecificVariable<NIOLoopBoundBox<LoopDeadlines>>()

  private let loop: any EventLoop
  private var due: [UInt64: [UInt64: () -> Void]] = [:]
  private var lastID: UInt64 = 0
  /// The last time whose deadlines were taken.
  private var taken: UInt64 = 0

  private init(_ loop: any EventLoop) { self.loop = loop }

  /// Those of an event loop, whose thread this is.
  static func of(_ loop: any EventLoop) -> LoopDeadlines {
    // In tests a thread has several event loops. What one was asked to do before goes on all the same.
    if let known = ofThread.currentValue?.value, known.loop === loop { return known }
    let deadlines = LoopDeadlines(loop)
    ofThread.currentValue = NIOLoopBoundBox(deadlines, eventLoop: loop)
    return deadlines
  }

  fileprivate func add(at time: NIODeadline, _ body: @escaping () -> Void) -> Deadline {
    let fine = (time.uptimeNanoseconds + Self.grain - 1) / Self.grain
    let isFar = fine > loop.now.uptimeNanoseconds / Self.grain + Self.far
    let time = max(isFar ? (fine + Self.coarse - 1) / Self.coarse * Self.coarse : fine, taken + 1)
    lastID += 1
    if due[time] == nil {
      let bound = NIOLoopBound(self, eventLoop: loop)
      loop.scheduleTask(deadline: .uptimeNanoseconds(time * Self.grain)) { bound.value.take(time) }
    }
    due[time, default: [:]][lastID] = body
    return Deadline(deadlines: self, time: time, id: lastID)
  }

  fileprivate func remove(_ deadline: Deadline) {
    guard due[deadline.time]?.removeValue(forKey: deadline.id) != nil else { return }
    // An empty one keeps no room until its time.
    if due[deadline.time]?.isEmpty ?? false { due[deadline.time] = [:] }
  }

  private func take(_ time: UInt64) {
    taken = time
    // One can call off another.
    for id in due[time, default: [:]].keys.sorted() { due[time]?.removeValue(forKey: id)?() }
    due[time] = nil
  }
}

/// Something that is to be done on an event loop at a time, unless it is called off.
struct Deadline {
  fileprivate let deadlines: LoopDeadlines
  fileprivate let time: UInt64
  fileprivate let id: UInt64

  /// Calls it off; does nothing where it is done. Called on its event loop.
  func cancel() { deadlines.remove(self) }
}

extension EventLoop {
  /// Does something at a time, or up to 32 ms later (0.25 s if it is more than 8 s away), unless it is called off.
  /// Called on the event loop.
  func deadline(at time: NIODeadline, _ body: @escaping () -> Void) -> Deadline {
    LoopDeadlines.of(self).add(at: time, body)
  }

  /// Does something after a time, or up to 32 ms later (0.25 s if it is more than 8 s away), unless it is called off.
  /// Called on the event loop.
  func deadline(in time: TimeAmount, _ body: @escaping () -> Void) -> Deadline { deadline(at: now + time, body) }
}
