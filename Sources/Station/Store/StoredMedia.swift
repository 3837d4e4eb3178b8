import Foundation
import Media
import NIOCore
import Packager

/// The media from an earlier process that a camera's folder still holds, as far as it is served again.
struct StoredMedia: Sendable {
  private let stored: StoredFiles
  private let limits: Limits
  /// Whether all init segments in the folder were read.
  private var hasInitSegments = false
  /// The files and the parts of segments, by name.
  private(set) var media: [String: ByteBuffer] = [:]
  /// Those of them that are files of their own and stay in the folder while they are served.
  private(set) var files: Set<String> = []
  /// The segments that are served and not listed.
  private(set) var removed: [RemovedSegment] = []

  /// How many segments that are not listed are served at most; the newest should come first.
  struct Limits: Sendable {
    /// Segments that are made once.
    let once: Int
    /// Those of the playlist without parts.
    let plain: Int
    /// Those of loops.
    let loop: Int

    /// What a process has left, and the same again: one that could not continue it has filled a window of its own. A
    /// loop's names come again, so a whole round of them is added; the playlist without parts begins again in each
    /// process.
    init(_ timeline: TimelineSettings) {
      once = 4 * timeline.listedSegments
      plain = 6 * timeline.plain.listedSegments
      loop = 6 * timeline.listedSegments
    }

    fileprivate func allow(_ name: SegmentName, beside others: [RemovedSegment]) -> Bool {
      let count = others.count { $0.segment.name.isPlain == name.isPlain && $0.segment.name.isOfLoop == name.isOfLoop }
      return count < (name.isPlain ? plain : name.isOfLoop ? loop : once)
    }
  }

  /// Nothing yet of these files.
  init(_ stored: StoredFiles, limits: Limits) {
    self.stored = stored
    self.limits = limits
  }

  /// A file of the folder.
  func file(_ name: String) -> ByteBuffer? { stored.file(name) }

  /// Reads a segment with its init segment and its parts, so that it can be listed.
  ///
  /// - Returns: whether all of it is there.
  mutating func list(_ segment: ListedSegment, mostParts: Int) -> Bool {
    guard (1...mostParts).contains(segment.partBytes.count), let map = media[segment.map] ?? file(segment.map),
      let bytes = whole(segment)
    else { return false }
    media[segment.map] = map
    files.insert(segment.map)
    take(segment, bytes)
    return true
  }

  /// Reads the segment that the end of the process has cut short, from the parts that are there.
  mutating func close(_ open: ListedSegment, as name: SegmentName) -> ListedSegment? {
    var segment = open
    var bytes = ByteBuffer()
    segment.partBytes = []
    for (index, size) in open.partBytes.enumerated() {
      guard let part = file(open.name.part(index)), part.readableBytes == size else { break }
      bytes.writeImmutableBuffer(part)
      segment.partBytes.append(size)
    }
    guard !segment.partBytes.isEmpty, let map = media[segment.map] ?? file(segment.map) else { return nil }
    media[segment.map] = map
    files.insert(segment.map)
    segment.cutName = name
    take(segment, bytes)
    return segment
  }

  /// Reads a segment that is no longer listed, as far as it is there and its time is not over.
  mutating func serve(_ segment: RemovedSegment) {
    guard segment.time > .zero, limits.allow(segment.segment.name, beside: removed) else { return }
    guard let bytes = whole(segment.segment) else {
      // One that was cut short never was complete.
      if segment.partTime > .zero { serveParts(of: segment.segment.name, time: segment.partTime) }
      return
    }
    media[segment.segment.file] = bytes
    files.insert(segment.segment.file)
    if segment.partTime > .zero { take(segment.segment, bytes) }
    if segment.segment.map.isEmpty {
      // The state does not mention this segment: any of the init segments may be its own.
      takeInitSegments()
    } else if let map = file(segment.segment.map) {
      media[segment.segment.map] = map
      files.insert(segment.segment.map)
    }
    removed.append(segment)
  }

  /// Reads what had left the playlist. A loop's segments may have been listed again by a version that the state does
  /// not know, so they get all their time again.
  mutating func serve(removed state: StreamState) {
    for segment in (state.removed ?? []).reversed() {
      let isOfLoop = segment.segment.name.isOfLoop
      serve(
        RemovedSegment(
          segment.segment, time: max(segment.time, isOfLoop ? state.removedSegmentTime : .zero),
          partTime: max(segment.partTime, isOfLoop ? state.removedPartTime : .zero)))
    }
  }

  /// Reads all media in the folder that is not listed, of which nothing is known but the content.
  ///
  /// - Parameters:
  ///   - time: how long whole segments are served.
  ///   - partTime: how long parts are served.
  mutating func serveAll(time: Ticks, partTime: Ticks) {
    takeInitSegments()
    let names = fileNames
    func number(_ file: String) -> Int { SegmentName.number(inFile: file) ?? .max }
    for file in names.sorted(by: { number($0) > number($1) }) where media[file] == nil {
      guard let name = SegmentName(file: file), let bytes = self.file(file),
        let parts = try? FragmentReader.parts(in: bytes), !parts.isEmpty
      else { continue }
      let segment = ListedSegment(found: name, partBytes: parts.map(\.byteCount))
      serve(RemovedSegment(segment, time: time, partTime: name.isPlain ? .zero : partTime))
    }
    for first in names where first.hasSuffix(".0.mp4") && media[first] == nil {
      if let name = SegmentName(file: String(first.dropLast(6)) + ".mp4") { serveParts(of: name, time: partTime) }
    }
  }

  private var fileNames: [String] { stored.names.filter { $0.hasSuffix(".mp4") } }

  private mutating func takeInitSegments() {
    guard !hasInitSegments else { return }
    hasInitSegments = true
    for name in fileNames where media[name] == nil && name.hasPrefix("init-") {
      media[name] = file(name)
      files.insert(name)
    }
  }

  /// Reads the parts of a segment that was not complete when the process ended. A repeated segment of a loop may have
  /// been complete before: then they are byte ranges of that one.
  mutating func serveParts(of name: SegmentName, time: Ticks) {
    if let place = removed.firstIndex(where: { $0.segment.file == name.file }), let bytes = media[name.file] {
      removed[place].partTime = max(removed[place].partTime, time)
      return take(removed[place].segment, bytes)
    }
    var sizes: [Int] = []
    while let part = file(name.part(sizes.count)), part.readableBytes > 0 {
      media[name.part(sizes.count)] = part
      files.insert(name.part(sizes.count))
      sizes.append(part.readableBytes)
    }
    guard !sizes.isEmpty else { return }
    removed.append(RemovedSegment(ListedSegment(found: name, partBytes: sizes), time: time, partTime: time))
  }

  private func whole(_ segment: ListedSegment) -> ByteBuffer? {
    guard segment.partBytes.allSatisfy({ $0 > 0 }), let bytes = media[segment.file] ?? file(segment.file),
      bytes.readableBytes == segment.byteCount
    else { return nil }
    return bytes
  }

  private mutating func take(_ segment: ListedSegment, _ bytes: ByteBuffer) {
    media[segment.file] = bytes
    files.insert(segment.file)
    for index in segment.partBytes.indices {
      let range = segment.range(ofPart: index)
      let name = segment.name.part(index)
      media[name] = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
      // Only the state says that these are byte ranges of a file with another name, and the state may be lost.
      if segment.cutName != nil { files.insert(name) }
    }
  }
}
