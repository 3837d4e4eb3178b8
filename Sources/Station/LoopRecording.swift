import Media
import NIOCore
import Packager
import Picture

/// What a camera has shown lately, as its server answers it: the init segment and then whole segments of parts.
package struct LoopRecording: Sendable {
  private let initBytes: ByteBuffer
  private let bytes: ByteBuffer
  private let parts: [FragmentReader.Part]

  /// Reads a recording.
  ///
  /// - Throws: `LoopError` with what is wrong where.
  package init(_ bytes: ByteBuffer) throws(LoopError) {
    do throws(FragmentReader.Damage) {
      let length = try FragmentReader.initLength(in: bytes)
      var rest = bytes
      initBytes = rest.readSlice(length: length) ?? ByteBuffer()
      parts = try FragmentReader.parts(in: rest)
      self.bytes = bytes
    } catch {
      throw LoopError(description: "the server's recording is no such one: \(error); is it another server?")
    }
    guard parts.first?.pictures.first?.isIDR == true else {
      throw LoopError(
        description: "the server has no whole segment of this camera yet; wait a segment's length and try again")
    }
  }

  /// Its pictures segment by segment, if these are all of one length.
  fileprivate var segments: [[CodedPicture]]? {
    var segments: [[CodedPicture]] = []
    for picture in parts.lazy.flatMap(\.pictures) {
      if picture.isIDR { segments.append([]) }
      segments[segments.count - 1].append(picture)
    }
    return segments.allSatisfy { $0.count == segments[0].count } ? segments : nil
  }

  /// Its segments, if they were coded as a maker's own are.
  fileprivate func segments(for initSegment: InitSegment, stepsPerSegment: Int) -> [[CodedPicture]]? {
    guard initBytes == initSegment.bytes, let segments, segments[0].count == stepsPerSegment else { return nil }
    return segments
  }

  /// The indices of the pictures that are new; `nil` where that cannot be told.
  fileprivate func newPictures(size: PictureSize) -> Set<Int>? {
    guard let segments else { return nil }
    let changes = Self.changes(in: segments, size: size)
    return Set(changes.enumerated().flatMap { index, steps in steps.map { index * segments[index].count + $0 } })
  }

  /// All of it as one file.
  fileprivate var file: ByteBuffer { bytes }

  /// The steps of a segment at which a picture is new.
  ///
  /// A repeated picture is coded in next to no bytes. The IDR picture at a segment's beginning is long in any case: it
  /// is taken for a new one where the camera's rhythm puts one there.
  static func changes(in segments: [[CodedPicture]], size: PictureSize) -> [[Int]] {
    // A skipped block costs a fraction of a bit: 64 bytes are enough for a VGA picture, and larger ones need some more.
    let mostOfRepeat = max(64, size.pixels / 4096)
    let count = segments.first?.count ?? 0
    let pictures = segments.joined()
    let surely = pictures.enumerated().filter { !$1.isIDR && $1.bytes.readableBytes > mostOfRepeat }.map(\.offset)
    // The time from still to still; one that falls on a segment's beginning is missing among the sure ones, so gaps
    // over a beginning count by half where there are no others.
    let gaps = zip(surely, surely.dropFirst()).map { (length: $1 - $0, isInside: $0 / count == $1 / count) }
    let inside = gaps.filter(\.isInside).map(\.length).sorted()
    let over = gaps.map(\.length).sorted()
    let rhythm = inside.isEmpty ? (over.isEmpty ? count : max(1, over[over.count / 2] / 2)) : inside[inside.count / 2]
    var changes: [[Int]] = []
    var (last, next) = (-rhythm, 0)
    for index in segments.indices {
      let begin = index * count
      while next < surely.count, surely[next] < begin { next += 1 }
      let until = next < surely.count ? surely[next] : begin + rhythm
      let isNew = index == 0 || 4 * (begin - last) >= 3 * rhythm && 4 * (until - begin) >= 3 * rhythm
      var steps = isNew ? [0] : []
      while next < surely.count, surely[next] < begin + count {
        steps.append(surely[next] - begin)
        next += 1
      }
      if let step = steps.last { last = begin + step }
      changes.append(steps)
    }
    return changes
  }
}

extension LoopMaker {
  /// Adds a recording of the camera itself: its coded pictures as they are where they were coded with the same
  /// settings, so that they are of the same quality and sizes as live ones, else coded anew.
  ///
  /// - Parameters:
  ///   - mayReuse: whether it was made with the camera's settings, as far as is known.
  ///   - limit: the newest part of it that is so long is taken, in whole segments.
  ///   - progress: is told the loop's length now and then; what it throws ends the work.
  /// - Returns: whether the pictures were taken as they are.
  /// - Precondition: the maker was made for processed pictures.
  package mutating func append(
    _ recording: LoopRecording, mayReuse: Bool, limit: Ticks, interrupt: MediaInterrupt,
    progress: (Ticks) throws -> Void
  ) throws -> Bool {
    let file = ".recording.mp4"
    defer { folder.remove(file) }
    guard mayReuse, let segments = recording.segments(for: initSegment, stepsPerSegment: stepsPerSegment) else {
      try folder.write(file, recording.file)
      _ = try append(
        video: MediaLocation("file:\(folder.path)/\(file)"), every: settings.timeline.step, limit: limit,
        only: recording.newPictures(size: settings.picture.size), interrupt: interrupt, progress: progress)
      return false
    }
    let newest = Array(segments.suffix(Int(max(1, limit.floorDivided(by: settings.timeline.segment)))))
    for (pictures, changes) in zip(newest, LoopRecording.changes(in: newest, size: settings.picture.size)) {
      var segmenter = Segmenter(settings: settings.timeline, firstSequence: 0)
      var bytes = initSegment.bytes
      for part in stride(from: 0, to: pictures.count, by: settings.timeline.stepsPerPart) {
        bytes.writeImmutableBuffer(
          segmenter.append(Array(pictures[part..<part + settings.timeline.stepsPerPart])).part)
      }
      try folder.write(file, bytes)
      var source = try FrameSource(
        MediaLocation("file:\(folder.path)/\(file)"), interrupt: interrupt, quality: settings.latestQuality)
      for (step, picture) in pictures.enumerated() {
        guard case .picture = try source.advance() else {
          throw LoopError(description: "a picture of the server's recording does not decode; record again")
        }
        try append(picture, new: changes.contains(step) ? try source.jpeg() : nil)
      }
      try progress(length)
    }
    return true
  }
}
