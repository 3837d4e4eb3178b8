import Logging
import Media
import NIOCore
import Packager

/// Runs the playlist without parts while somebody requests it: begins it with the pictures of the last seconds, feeds
/// it slot by slot, and ends it.
struct PlainFeed: ~Copyable {
  /// A change of the playlist.
  enum Change: Sendable {
    /// There is a new version of it.
    case published(PlainStream.Publication)
    /// It has ended. What it listed is still served.
    case ended
  }

  private let camera: Camera
  private let plain: TimelineSettings
  private let logger: Logger
  private var firstName: Int
  private var history: PlainHistory
  private var stream: PlainStream?
  /// How far its encoder is stepped down from its next segment on.
  var level = LoadLevel.full
  /// Pieces of slots whose time has not come: a long slot is fed in pieces, or segments would come in bursts.
  private var waiting: [(due: Ticks, piece: PlainHistory.Slot)] = []

  /// A feed before the first slot.
  ///
  /// - Parameter firstName: neither this number nor a higher one was used in a name.
  init(camera: Camera, firstName: Int, logger: Logger) {
    self.camera = camera
    self.logger = logger
    self.firstName = firstName
    plain = camera.settings.timeline.plain
    // One more than it needs to begin, because the oldest is hardly ever complete.
    history = PlainHistory(span: plain.segment * Int64(min(8, plain.listedSegments) + 1), step: plain.step)
  }

  /// Whether the playlist is made now.
  var isRunning: Bool { stream != nil }

  /// The newest segment; `nil` if there is none.
  var newestSequence: Int? { mutating get { stream?.newestSequence } }

  /// How many slots it could begin with.
  var rememberedSlots: Int { history.slots.count }

  /// When something is due without a request; `nil` if nothing waits.
  var deadline: Ticks? { waiting.first?.due }

  /// Feeds what is due, begins the playlist when somebody requests it, and ends it when nobody does.
  ///
  /// - Parameter standing: the picture that `latest.jpg` shows.
  mutating func tend(standing: ByteBuffer?) -> [Change] {
    let now = camera.clock.now()
    let due = waiting.prefix { $0.due <= now }.map(\.piece)
    waiting.removeFirst(due.count)
    for piece in due { history.append(piece) }
    var changes = feed(due)
    guard camera.isCopied || camera.plainDemand.isWanted(at: now) else { return changes + end() }
    guard stream == nil else { return changes }
    do {
      stream = try PlainStream.open(camera.settings, firstName: firstName, logger: logger)
      changes += feed(history.filled(standing: standing))
    } catch {
      logger.error("the playlist without parts cannot begin: \(error)")
    }
    return changes
  }

  /// Takes a slot that was made.
  ///
  /// - Parameters:
  ///   - start: when it begins in stream time.
  ///   - date: when it begins in wall clock time.
  ///   - beginning: when it begins on the camera's clock.
  ///   - standing: the picture that `latest.jpg` shows.
  mutating func append(
    _ content: SlotContent, start: Ticks, date: WallTime, begins beginning: Ticks, standing: ByteBuffer?
  ) -> [Change] {
    // All of them are known already, so the first is shown at once and not at its time in the slot.
    let first = content.changes.first?.step ?? 0
    let changes = content.changes.filter { $0.jpeg.readableBytes > 0 }.map { $0.earlier(by: first) }
    let slot = PlainHistory.Slot(
      start: start, date: date, steps: camera.settings.timeline.stepsPerPart, changes: changes)
    waiting += slot.pieces(segment: plain.segment, step: plain.step).map { ($0.start - start + beginning, $0) }
    return tend(standing: standing)
  }

  /// Forgets all pictures and ends the playlist; what it listed is withdrawn by the publisher.
  mutating func withdraw() {
    history.clear()
    waiting.removeAll()
    _ = stream.take()
  }

  /// Begins the playlist again after a withdrawal, with the picture that is shown now, so that there is one at once.
  ///
  /// - Parameters:
  ///   - start: when the next slot begins in stream time.
  ///   - date: the same in wall clock time.
  mutating func beginAgain(start: Ticks, date: WallTime, standing: ByteBuffer?) -> [Change] {
    guard camera.isCopied, let standing else { return [] }
    let timeline = camera.settings.timeline
    history.append(
      PlainHistory.Slot(
        start: start - timeline.part, date: date.advanced(by: .zero - timeline.part), steps: timeline.stepsPerPart,
        changes: [ShownPicture(step: 0, jpeg: standing)]))
    return tend(standing: standing)
  }

  private mutating func feed(_ slots: [PlainHistory.Slot]) -> [Change] {
    guard stream != nil, !slots.isEmpty else { return [] }
    do {
      stream?.level = level
      for slot in slots { try stream?.append(slot) }
      let publication = stream?.takePublication()
      // The next playlist shows other pictures, so it needs other names.
      firstName = stream?.nextName ?? firstName
      return publication.map { [.published($0)] } ?? []
    } catch {
      logger.error("the playlist without parts ends: \(error)")
      return end()
    }
  }

  private mutating func end() -> [Change] { stream.take() == nil ? [] : [.ended] }
}
