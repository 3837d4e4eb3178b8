import Media
import NIOCore
import Packager
import Picture

/// What a camera has shown lately, as its server sends it: the init segment and then whole segments of parts, each
/// after the JPEGs that `latest.jpg` showed during it.
package struct LoopRecording: Sendable {
  private let initBytes: ByteBuffer
  fileprivate let segments: [LoopSegment]
  /// The time from picture to picture.
  fileprivate let step: Ticks

  /// Reads a recording.
  ///
  /// - Throws: `LoopError` with what is wrong and where.
  package init(_ bytes: ByteBuffer) throws(LoopError) {
    let items: [FragmentReader.Item]
    do throws(FragmentReader.Damage) {
      let length = try FragmentReader.initLength(in: bytes)
      var rest = bytes
      initBytes = rest.readSlice(length: length) ?? ByteBuffer()
      items = try FragmentReader.items(in: rest)
    } catch {
      throw LoopError(description: "the server's answer is not a recording: \(error); is it another server?")
    }
    var segments: [LoopSegment] = []
    var shown: ShownPictures?
    var step: Ticks?
    var standing: ByteBuffer?
    for item in items {
      switch item {
      case .pictures(let pictures): shown = pictures
      case .part(let part):
        if part.pictures[0].isIDR {
          let changes = shown?.pictures ?? []
          let opening = changes.first.flatMap { $0.step == 0 ? $0.jpeg : nil } ?? shown?.opening ?? standing
          if segments.isEmpty { step = opening == nil ? nil : shown?.step }
          standing = changes.last?.jpeg ?? opening
          segments.append(LoopSegment(pictures: [], changes: changes, opening: opening ?? ByteBuffer()))
          shown = nil
        }
        if !segments.isEmpty { segments[segments.count - 1].pictures += part.pictures }
      }
    }
    // What begins to show behind the end of its segment never shows, and its time may be one that nothing can count.
    guard segments.allSatisfy({ segment in segment.changes.allSatisfy { $0.step < segment.pictures.count } }) else {
      throw LoopError(
        description: "the server's recording has a picture behind the end of its segment; it was damaged on its way")
    }
    guard !segments.isEmpty else {
      throw LoopError(
        description: "the server has no complete segment of this camera yet; wait for one and try again")
    }
    guard let step else {
      throw LoopError(
        description: "the server's recording does not say which pictures are new; does it have another version?")
    }
    self.segments = segments
    self.step = step
  }

  /// Its segments, if they were encoded as a maker's own are.
  fileprivate func segments(for initSegment: InitSegment, stepsPerSegment: Int) -> [LoopSegment]? {
    guard initBytes == initSegment.bytes, segments.allSatisfy({ $0.pictures.count == stepsPerSegment }) else {
      return nil
    }
    return segments
  }
}

extension LoopMaker {
  /// Adds a recording of the camera itself: its encoded pictures unchanged if they were encoded with the same settings,
  /// so that they have the same quality and sizes as live ones; otherwise its JPEGs, encoded again.
  ///
  /// - Parameters:
  ///   - mayReuse: whether it was made with the camera's settings, as far as is known.
  ///   - limit: the newest part of it of this length is used, in whole segments.
  ///   - progress: gets the loop's length from time to time; what it throws ends the work.
  /// - Returns: whether the pictures were used unchanged.
  /// - Precondition: the maker was made for processed pictures.
  package mutating func append(
    _ recording: LoopRecording, mayReuse: Bool, limit: Ticks, progress: (Ticks) throws -> Void
  ) throws -> Bool {
    guard mayReuse, let segments = recording.segments(for: initSegment, stepsPerSegment: stepsPerSegment) else {
      try code(recording.newest(limit), step: recording.step, limit: limit, progress)
      return false
    }
    let newest = Array(segments.suffix(Int(max(1, limit.floorDivided(by: settings.timeline.segment)))))
    for segment in recording.opened(newest) {
      for (step, picture) in segment.pictures.enumerated() {
        try append(picture, showing: segment.changes.first { $0.step == step })
      }
      try progress(length)
    }
    return true
  }

  private mutating func code(
    _ segments: [LoopSegment], step: Ticks, limit: Ticks, _ progress: (Ticks) throws -> Void
  ) throws {
    let grid = settings.timeline.step
    // Their steps are counted on the maker's own grid, from the beginning of the recording.
    var stills: [ShownPicture] = []
    var time = Ticks.zero
    for segment in segments {
      for change in segment.changes {
        let place = Int((time + step * Int64(change.step)).floorDivided(by: grid))
        // If two fall on one step of a coarser grid, the newer one is used.
        if stills.last?.step == place { stills.removeLast() }
        stills.append(ShownPicture(step: place, jpeg: change.jpeg))
      }
      time = time + step * Int64(segment.pictures.count)
    }
    for still in stills where grid * Int64(still.step) < limit {
      if hasPicture { try hold(until: grid * Int64(still.step)) }
      try append(still.jpeg)
      try progress(length)
    }
    try hold(until: min(limit, grid * time.floorDivided(by: grid)))
  }
}

extension LoopRecording {
  /// The newest segments that are no longer than `limit`, at least one.
  fileprivate func newest(_ limit: Ticks) -> [LoopSegment] {
    var (count, length) = (0, Ticks.zero)
    for segment in segments.reversed() {
      length = length + step * Int64(segment.pictures.count)
      if count > 0, length > limit { break }
      count += 1
    }
    return opened(Array(segments.suffix(count)))
  }

  /// The newest segments that start with a new picture, if that costs at most an eighth of them, because the loop then
  /// starts again at the slot offset of a camera's next still; otherwise with the picture that was shown then.
  fileprivate func opened(_ newest: [LoopSegment]) -> [LoopSegment] {
    if let first = newest.prefix(max(1, newest.count / 8)).firstIndex(where: \.beginsWithNewPicture) {
      return Array(newest[first...])
    }
    var newest = newest
    newest[0].changes.insert(ShownPicture(step: 0, jpeg: newest[0].opening), at: 0)
    return newest
  }
}
