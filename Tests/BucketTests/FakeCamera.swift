import Media
import NIOCore
import Packager
import Playlist
import Station
import TestSupport

@testable import Bucket

/// A camera that publishes, as far as the bucket sees it: streams whose names rise, and photos.
struct FakeCamera {
  private(set) var segments: [MediaPlaylist.Segment] = []
  private(set) var media: [String: ByteBuffer] = [:]
  private(set) var photos: [(name: PhotoName, bytes: Int)] = []
  /// Everything that was withdrawn.
  private(set) var withdrawn: Set<String> = []
  private var name = 100
  private var stream = 100
  private var time: Int64 = 0
  private var first = 0
  private var maps = 0
  static let most = 6

  /// One more segment.
  mutating func makeSegment(lasting duration: Ticks = .seconds(1)) {
    let map = "init-0000000\(maps % 3).mp4"
    let uri = "p\(name).mp4"
    name += 1
    segments.append(
      MediaPlaylist.Segment(
        uri: uri, duration: duration, programDateTime: WallTime(milliseconds: time),
        map: MediaPlaylist.Map(uri: map)))
    (media[uri], media[map]) = (ByteBuffer(string: uri), ByteBuffer(string: map))
    time += 1000
    // As many as an edge keeps serving.
    if segments.count > first + Self.most { first += 1 }
    if segments.count > 2 * Self.most + 3 {
      media[segments.removeFirst().uri] = nil
      first -= 1
    }
  }

  /// Another stream begins, with pictures from before its beginning.
  mutating func beginStream(withOtherHeader: Bool) {
    if withOtherHeader { maps += 1 }
    name += 50
    stream = name
    first = segments.count
    let now = time
    time -= 4000
    for _ in 0..<5 { makeSegment() }
    time = max(time, now)
  }

  /// The store is lost.
  mutating func forget() {
    segments.removeAll()
    (first, media) = (0, [:])
  }

  mutating func withdraw() {
    withdrawn.formUnion(segments.map(\.uri))
    withdrawn.formUnion(photos.map { "\($0.name)" })
    segments.removeAll()
    photos.removeAll()
    (first, media) = (0, [:])
    beginStream(withOtherHeader: false)
  }

  mutating func takePhoto(using random: inout SeededGenerator) {
    let photo = PhotoName(
      time: WallTime(milliseconds: time), size: PictureSize(width: 64, height: 48), using: &random)
    photos.insert((photo, 7), at: 0)
    if photos.count > 4 { photos.removeLast() }
  }

  /// The newest playlist.
  var playlist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: 1, mediaSequence: name - (segments.count - first), discontinuitySequence: stream,
      independentSegments: true, segments: Array(segments[first...]))
  }

  func publish(to plan: inout CopyPlan) {
    plan.publish(playlist, adding: media.map { ($0.key, $0.value) }, most: Self.most)
  }

  private func number(_ uri: String) -> Int { SegmentName.number(inFile: uri) ?? 0 }

  /// What a store gives to the next process.
  func restore(to plan: inout CopyPlan) {
    var entries = segments.map { CopyLine.Entry(listed: $0) }
    for index in entries.indices.dropFirst() {
      let (one, next) = (number(entries[index - 1].listed.uri), number(entries[index].listed.uri))
      entries[index].listed.discontinuity = one + 1 != next
    }
    plan.restore(entries, media: media, targetDuration: 1)
  }
}
