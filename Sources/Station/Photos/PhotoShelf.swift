import Media
import NIOCore

/// Which photos of a camera there are, where each of them is, and what must be done on disk: rules without a disk, a
/// lock or a clock.
struct PhotoShelf: Sendable {
  /// The limits.
  struct Limits: Hashable, Sendable {
    /// Photos at most.
    var count: Int
    /// The most bytes, in memory and on disk together.
    var bytes: Int
    /// Bytes in memory at most.
    var memory: Int
    /// With more bytes than these in memory, what is on disk too leaves it, but for the newest few.
    var cached: Int
    /// Whether no two photos of the same size in bytes are listed: the older one is dropped. Under a veil the loop's
    /// pictures come again, and the list must not show that.
    var hasUniqueSizes = false

    /// The limits of a camera that keeps this many.
    ///
    /// - Parameter isStored: whether there is a disk besides the memory.
    init(count: Int, isStored: Bool) {
      self.count = count
      bytes = isStored ? Self.mostBytes : Self.mostMemory
      memory = isStored ? Self.mostMemory / 4 : Self.mostMemory
      cached = isStored ? Self.mostCached : .max
    }

    /// The most bytes of photos on disk, for each camera.
    private static let mostBytes = 1 << 30
    /// The most bytes in memory if there is no disk.
    private static let mostMemory = 64 << 20
    /// The most bytes of those that are on disk too.
    private static let mostCached = 1 << 20
    /// How many of the newest stay in memory: many ask for these at once.
    fileprivate static let newest = 4
  }

  /// One step on disk.
  enum Step: Hashable, Sendable {
    /// Write down that photos are being withdrawn, so that a process that ends meanwhile does not show them again.
    case mark
    /// Remove this photo.
    case remove(PhotoName)
    /// Write down that no withdrawal is in progress any more.
    case unmark
    /// Write this photo.
    case write(PhotoName)
  }

  /// Where a photo is.
  enum Place: Sendable {
    /// In memory, and perhaps on disk.
    case memory(ByteBuffer)
    /// On disk alone.
    case disk(bytes: Int)
  }

  private struct Entry: Sendable {
    let name: PhotoName
    let bytes: Int
    /// The picture, while it is in memory.
    var jpeg: ByteBuffer?
    var isStored: Bool
  }

  private let limits: Limits
  private let isStored: Bool
  /// The oldest first.
  private var entries: [Entry] = []
  private var bytes = 0
  private var memory = 0
  /// The photos to write, the oldest first; all of them are in memory.
  private var writes: [PhotoName] = []
  private var removals: [PhotoName] = []
  /// What could not be removed; it is tried again with the next change.
  private var stuck: [PhotoName] = []
  private var inFlight: PhotoName?
  private var mustMark = false
  private var isMarked = false

  /// No photos yet.
  init(limits: Limits, isStored: Bool) {
    self.limits = limits
    self.isStored = isStored
  }

  /// The photos and their bytes, the newest first.
  var photos: [(name: PhotoName, bytes: Int)] { entries.reversed().map { ($0.name, $0.bytes) } }

  /// How many bytes are in memory.
  var memoryBytes: Int { memory }

  /// Where a photo is; `nil` if there is none with this name.
  func place(of name: PhotoName) -> Place? {
    guard let entry = entries.last(where: { $0.name == name }) else { return nil }
    return entry.jpeg.map { .memory($0) } ?? .disk(bytes: entry.bytes)
  }

  // MARK: What comes and goes

  /// Adds what is on disk from an earlier process, in any order, before anything is kept.
  ///
  /// - Parameter isMarked: whether that process was withdrawing photos when it ended: then all of them are removed.
  mutating func takeUp(_ found: [(name: PhotoName, bytes: Int)], isMarked: Bool) {
    entries = found.sorted { ($0.name.time, $0.name.tag) < ($1.name.time, $1.name.tag) }
      .map { Entry(name: $0.name, bytes: $0.bytes, jpeg: nil, isStored: true) }
    bytes = entries.reduce(0) { $0 + $1.bytes }
    if limits.hasUniqueSizes {
      var sizes: Set<Int> = []
      for index in entries.indices.reversed() where !sizes.insert(entries[index].bytes).inserted { drop(at: index) }
    }
    if isMarked { withdraw() } else { trim() }
    self.isMarked = isMarked
    mustMark = false
  }

  /// Adds a photo as the newest, whatever its time is.
  mutating func keep(_ jpeg: ByteBuffer, as name: PhotoName) {
    if limits.hasUniqueSizes, let same = entries.firstIndex(where: { $0.bytes == jpeg.readableBytes }) {
      drop(at: same)
    }
    entries.append(Entry(name: name, bytes: jpeg.readableBytes, jpeg: jpeg, isStored: false))
    bytes += jpeg.readableBytes
    memory += jpeg.readableBytes
    if isStored { writes.append(name) }
    (removals, stuck) = (removals + stuck, [])
    trim()
  }

  /// Forgets a photo that is not on disk although it should be.
  mutating func lose(_ name: PhotoName) {
    if let index = entries.lastIndex(where: { $0.name == name }) { drop(at: index) }
  }

  /// Forgets all.
  mutating func withdraw() {
    (removals, stuck) = (removals + stuck, [])
    mustMark = mustMark || (isStored && !(entries.isEmpty && removals.isEmpty))
    while !entries.isEmpty { drop(at: entries.endIndex - 1) }
  }

  // MARK: What is done on disk

  /// The next step; `nil` if nothing is left to do. One at a time: each must be reported to `did` or `failed`.
  mutating func next() -> Step? {
    if mustMark {
      mustMark = false
      return .mark
    }
    if let name = removals.first { return .remove(name) }
    if isMarked, stuck.isEmpty { return .unmark }
    inFlight = writes.first
    return inFlight.map { .write($0) }
  }

  /// Notes that a step is done.
  mutating func did(_ step: Step) {
    switch step {
    case .mark: isMarked = true
    case .unmark: isMarked = false
    case .remove: removals.removeFirst()
    case .write(let name):
      inFlight = nil
      writes.removeAll { $0 == name }
      if let index = entries.lastIndex(where: { $0.name == name }) {
        entries[index].isStored = true
        trimMemory()
      } else {
        // It was withdrawn or dropped while it was being written.
        removals.append(name)
      }
    }
  }

  /// Notes that a step failed.
  ///
  /// - Returns: whether the next step may succeed: if a photo cannot be written, none can, until something changes.
  mutating func failed(_ step: Step) -> Bool {
    switch step {
    case .mark: return true
    case .unmark: return false
    case .remove:
      stuck.append(removals.removeFirst())
      return true
    case .write(let name):
      inFlight = nil
      if !entries.contains(where: { $0.name == name }) { writes.removeAll { $0 == name } }
      return false
    }
  }

  private mutating func trim() {
    while !entries.isEmpty, entries.count > limits.count || bytes > limits.bytes { drop(at: 0) }
    trimMemory()
  }

  /// Moves what the memory has no room for to the disk. If the disk accepts nothing, the oldest are dropped.
  private mutating func trimMemory() {
    while memory > limits.cached,
      let index = entries.dropLast(Limits.newest).firstIndex(where: { $0.jpeg != nil && $0.isStored })
    {
      leaveToDisk(index)
    }
    while memory > limits.memory {
      if let index = entries.firstIndex(where: { $0.jpeg != nil && $0.isStored }) {
        leaveToDisk(index)
      } else if let index = entries.firstIndex(where: { $0.jpeg != nil }) {
        drop(at: index)
      } else {
        return
      }
    }
  }

  private mutating func leaveToDisk(_ index: Int) {
    memory -= entries[index].jpeg?.readableBytes ?? 0
    entries[index].jpeg = nil
  }

  private mutating func drop(at index: Int) {
    let entry = entries.remove(at: index)
    bytes -= entry.bytes
    memory -= entry.jpeg?.readableBytes ?? 0
    if entry.isStored {
      removals.append(entry.name)
    } else if inFlight != entry.name {
      writes.removeAll { $0 == entry.name }
    }
  }
}
