import Logging
import Media
import NIOCore
import Packager

/// Runs the playlist without parts while somebody asks for it: begins it with the pictures of the last seconds, feeds
/// it slot by slot, and ends it.
struct PlainFeed: ~Copyable {
  private let camera: Camera
  private let logger: Logger
  private var firstName: Int
  private var history: PlainHistory
  private var stream: PlainStream?

  /// A feed before the first slot.
  ///
  /// - Parameter firstName: neither this number nor a higher one has been used in a name.
  init(camera: Camera, firstName: Int, logger: Logger) {
    self.camera = camera
    self.logger = logger
    self.firstName = firstName
    let (timeline, plain) = (camera.settings.timeline, camera.settings.timeline.plain)
    history = PlainHistory(span: plain.segment * Int64(plain.listedSegments + 1), part: timeline.part)
  }

  /// Whether the playlist is made now.
  var isRunning: Bool { stream != nil }

  /// The newest segment; `nil` where there is none.
  var newestSequence: Int? { mutating get { stream?.newestSequence } }

  /// The number that the next name has.
  var nextName: Int { firstName }

  /// How many slots it could begin with.
  var rememberedSlots: Int { history.slots.count }

  /// Begins the playlist when somebody asks for it, and ends it when nobody does.
  mutating func tend() {
    guard camera.isPlainWanted else { return end() }
    guard stream == nil else { return }
    do {
      stream = try PlainStream.open(camera.settings, edge: camera.edge, firstName: firstName)
      feed(history.filled(standing: camera.edge.latest?.jpeg))
    } catch {
      logger.error("the playlist without parts cannot begin: \(error)")
    }
  }

  /// Takes a slot that was made.
  mutating func append(_ content: SlotContent, start: Ticks, date: WallTime) {
    let changes = content.changes.compactMap { change in
      change.jpeg.map { Loop.Change(step: change.step, jpeg: $0) }
    }
    let slot = PlainHistory.Slot(
      start: start, date: date, steps: camera.settings.timeline.stepsPerPart, changes: changes)
    history.append(slot)
    feed([slot])
  }

  /// Forgets all pictures, and takes away what is made of them.
  mutating func withdraw() {
    history.clear()
    end()
  }

  private mutating func feed(_ slots: [PlainHistory.Slot]) {
    guard stream != nil else { return }
    do {
      for slot in slots { try stream?.append(slot) }
      stream?.publish()
      // What comes again shows other pictures than before, so it has other names.
      firstName = stream?.nextName ?? firstName
    } catch {
      logger.error("the playlist without parts ends: \(error)")
      end()
    }
  }

  private mutating func end() {
    if let stream = stream.take() { stream.end() }
  }
}
