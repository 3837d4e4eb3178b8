import Foundation
import Media
import NIOCore

/// What a viewer's record says: how late each still was, and how it looked.
struct Viewing {
  /// From the push of a still until the bytes that first show it had arrived.
  var latencies: [Duration] = []
  /// The pushes that were shown.
  var pushes: [Int] = []
  /// Against the stills.
  var toStills: QualityJudge.Marks?
  /// Against their scenes.
  var toScenes: QualityJudge.Marks?

  /// Reads the record of a way, for the pushes in `window`.
  ///
  /// - Parameter others: records whose latencies count too.
  /// - Throws: `BenchFailure` when ffmpeg fails.
  static func read(
    _ record: ViewLog.Record, others: [ViewLog.Record], way: Way, timeline: StillTimeline, window: Range<Int>,
    set: StillSet, step: Ticks,
    part: Ticks, judge: QualityJudge?
  ) async throws -> Viewing {
    var viewing = Viewing()
    let isVideo = !record.pieces.isEmpty
    let first =
      isVideo
      ? inPieces(record.pieces, timeline: timeline, step: step, part: part)
      : inPictures(record.pictures, way: way, timeline: timeline, set: set)
    var shown: [(place: Int, still: Int)] = []
    for push in window {
      guard let (place, ended) = first[push] else { continue }
      viewing.pushes.append(push)
      viewing.latencies.append(ended - timeline.pushes[push].began)
      shown.append((place, timeline.pushes[push].still))
    }
    for other in others {
      let first = inPictures(other.pictures, way: way, timeline: timeline, set: set)
      viewing.latencies += window.compactMap { push in first[push].map { $0.ended - timeline.pushes[push].began } }
    }
    guard let judge, !shown.isEmpty else { return viewing }
    let pictures: URL
    if isVideo {
      var video = Data(record.initialization.map { Array($0.readableBytesView) } ?? [])
      for piece in record.pieces { video += piece.bytes.readableBytesView }
      pictures = try await judge.decode(video: video)
    } else {
      pictures = try await judge.decode(jpegs: record.pictures.map(\.jpeg))
    }
    if let marks = try await judge.marks(of: pictures, shown: shown) {
      (viewing.toStills, viewing.toScenes) = marks
    }
    return viewing
  }

  /// For each push, the middle picture of those that show it, and when the piece with the first arrived.
  private static func inPieces(
    _ pieces: [ViewLog.Piece], timeline: StillTimeline, step: Ticks, part: Ticks
  ) -> [Int: (place: Int, ended: ContinuousClock.Instant)] {
    var runs: [Int: (first: Int, count: Int, ended: ContinuousClock.Instant)] = [:]
    var place = 0
    for piece in pieces {
      for push in timeline.shown(in: piece, step: step, part: part) {
        if let push { runs[push, default: (place, 0, piece.ended)].count += 1 }
        place += 1
      }
    }
    return runs.mapValues { ($0.first + $0.count / 2, $0.ended) }
  }

  /// For each push, the first picture that shows it.
  private static func inPictures(
    _ pictures: [ViewLog.Picture], way: Way, timeline: StillTimeline, set: StillSet
  ) -> [Int: (place: Int, ended: ContinuousClock.Instant)] {
    let isUntouched = way == .cameraPolling || way == .motionJPEG
    var first: [Int: (place: Int, ended: ContinuousClock.Instant)] = [:]
    for (place, picture) in pictures.enumerated() {
      let push: Int? =
        if isUntouched {
          // The same still may be in the set twice; the newest push of any of them counts.
          set.stills.indices.filter { set.stills[$0] == picture.jpeg }
            .compactMap { timeline.push(of: $0, before: picture.ended) }.max()
        } else {
          timeline.latest(at: picture.began)
        }
      if let push, first[push] == nil { first[push] = (place, picture.ended) }
    }
    return first
  }
}
