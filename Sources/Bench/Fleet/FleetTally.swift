import Media
import NIOCore

/// What the connections of one event loop sent and saw.
struct FleetTally: ConnectionTally, Sendable {
  /// A part of a camera that is compared with its stills.
  struct Seen: Sendable {
    let camera: Int
    let date: WallTime
    let bytes: ByteBuffer
    /// Whether the part before it, or no part of its segment, was seen too.
    let follows: Bool
  }

  /// A still that was sent.
  struct Sent: Sendable {
    let camera: Int
    let still: Int
    let time: WallTime
  }

  /// Connections that are open.
  var connected = 0
  /// Stills that were taken, and how many the server refused, by its status.
  private(set) var taken = 0
  private(set) var refused: [Int: Int] = [:]
  /// Stills that could not be sent because the one before was not answered.
  private(set) var unsent = 0
  /// Stills that this program sent more than a tenth of a second after their time.
  private(set) var sentLate = 0
  /// How late each part was, in milliseconds, and how many were later than a tenth of their length.
  private(set) var lateness: [Int64] = []
  private(set) var lateParts = 0
  /// Parts that a playlist was without, because more than one came at once.
  private(set) var together = 0
  /// What went wrong, and how often.
  private(set) var mistakes: [String: Int] = [:]
  /// Of the cameras that are compared.
  private(set) var seen: [Seen] = []
  private(set) var sent: [Sent] = []
  /// When something went wrong first: nanoseconds of the monotonic clock.
  private(set) var first: [FleetTrouble.Kind: UInt64] = [:]

  mutating func note(_ mistake: String) { mistakes[mistake, default: 0] += 1 }

  /// Notes a still that is sent, `late` after its time.
  mutating func send(late: TimeAmount) { if late > .milliseconds(100) { sentLate += 1 } }

  mutating func remember(_ still: Sent) { sent.append(still) }
  mutating func remember(_ part: Seen) { seen.append(part) }

  mutating func skip() {
    unsent += 1
    tell(.unanswered)
  }

  mutating func answer(_ status: Int) {
    if status == 202 {
      taken += 1
    } else {
      refused[status, default: 0] += 1
      tell(.refused)
    }
  }

  /// Notes a part, and whether parts before it were never seen as the newest.
  mutating func part(late: Ticks, of length: Ticks, missing: Int) {
    together += missing
    lateness.append(late.milliseconds)
    if late.count * 10 > length.count {
      lateParts += 1
      tell(.latePart)
    }
  }

  private mutating func tell(_ kind: FleetTrouble.Kind) {
    if first[kind] == nil { first[kind] = NIODeadline.now().uptimeNanoseconds }
  }

  /// Forgets what was counted; connections and what is compared stay.
  mutating func begin() {
    let (connected, sent, seen) = (connected, sent, seen)
    self = FleetTally()
    (self.connected, self.sent, self.seen) = (connected, sent, seen)
  }

  /// Joins what another loop saw.
  mutating func add(_ other: FleetTally) {
    connected += other.connected
    taken += other.taken
    refused.merge(other.refused, uniquingKeysWith: +)
    (unsent, sentLate) = (unsent + other.unsent, sentLate + other.sentLate)
    (lateParts, together) = (lateParts + other.lateParts, together + other.together)
    lateness += other.lateness
    mistakes.merge(other.mistakes, uniquingKeysWith: +)
    seen += other.seen
    sent += other.sent
    first.merge(other.first, uniquingKeysWith: min)
  }
}

/// What goes wrong where a machine has too many cameras.
package enum FleetTrouble {
  /// The kinds, in the order in which they are told.
  package enum Kind: String, Sendable, CaseIterable {
    case stepDown = "the server stepped down"
    case latePart = "a part was later than a tenth of its length"
    case unanswered = "a still was not answered before the next was due"
    case refused = "a still was refused"
  }
}
