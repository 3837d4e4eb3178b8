import Media
import NIOCore

/// The newest picture in the bucket: one object that is replaced, at most once a second.
struct CopyPicture: Sendable {
  /// How far apart its versions are.
  private static let pause = Ticks.seconds(1)

  private var wanted: (version: Int64, jpeg: ByteBuffer)?
  private var newestVersion: Int64 = 0
  /// The version in the bucket; `nil` if that is not known.
  private var there: Int64?
  private var coming: Int64?
  /// How often everything was withdrawn, and how often before each of the versions that may be in the bucket.
  private var withdrawals = 0
  private var mayBe: Set<Int> = []
  /// How often before the version that is on its way.
  private var comingWithdrawals = 0
  /// When it is written once more, because a late request may have brought an older one back.
  private var againAt: Ticks?
  private var written = Ticks(Int64.min / 2)

  /// Whether there is one to show.
  var isWanted: Bool { wanted != nil }

  /// Whether one that was withdrawn may be in the bucket.
  var isWithdrawn: Bool { mayBe.contains { $0 < withdrawals } }

  /// Whether something is to be done about it.
  var isOwed: Bool { wanted.map { $0.version != there } ?? isWithdrawn }

  /// When something is due, now or later.
  var deadlines: [Ticks] {
    [againAt, wanted.flatMap { $0.version == there ? nil : written + Self.pause }].compactMap { $0 }
  }

  /// Takes a picture that an earlier process has written, of which nothing is known.
  mutating func found() { mayBe.insert(-1) }

  /// Takes the newest picture.
  mutating func show(_ jpeg: ByteBuffer) {
    newestVersion += 1
    wanted = (newestVersion, jpeg)
  }

  /// Takes all pictures back.
  mutating func withdraw() {
    wanted = nil
    withdrawals += 1
  }

  /// The picture to write now; `nil` if there is none. It must be reported to `finish`.
  ///
  /// - Parameter now: `nil` does not wait.
  mutating func next(at now: Ticks?) -> ByteBuffer? {
    guard let wanted else { return nil }
    if let now, let time = againAt, now >= time { (there, againAt) = (nil, nil) }
    guard wanted.version != there else { return nil }
    if let now {
      guard now >= written + Self.pause else { return nil }
      written = now
    }
    (coming, comingWithdrawals) = (wanted.version, withdrawals)
    mayBe.insert(withdrawals)
    return wanted.jpeg
  }

  /// Notes that it is being removed.
  mutating func beginRemoval() { coming = nil }

  /// Notes what became of the request. A picture whose writing failed may be there all the same, or later.
  mutating func finish(isDone: Bool, at now: Ticks) {
    if isDone {
      mayBe = mayBe.intersection(coming == nil ? [] : [comingWithdrawals])
    } else {
      againAt = now + CopyObjects.lateness
    }
    there = isDone ? coming : nil
    coming = nil
  }
}
