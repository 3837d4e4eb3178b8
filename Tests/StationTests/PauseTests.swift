import Ingest
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// An operator's order, and a camera that goes off or comes back, change what is shown with the next part: the segment
/// ends there.
@Suite struct PauseTests {
  private let clock = HandClock()

  private func camera(_ change: (inout CameraSettings) -> Void = { _ in }) throws -> Camera {
    var settings = try CameraSettings.sample(segment: .seconds(6), hold: .seconds(8), steady: .zero)
    change(&settings)
    return Camera(settings: settings, clock: clock.stationClock)
  }

  private func loop(_ camera: Camera, folder: String? = nil) throws -> CameraLoop {
    try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: .silent)
  }

  private func slot(_ camera: Camera, _ loop: inout CameraLoop, gray: Int? = nil) throws {
    if let gray { _ = try camera.take(try SampleStill.gray(gray)) }
    clock.advance(by: .seconds(1))
    loop.turn()
  }

  private func playlist(_ camera: Camera) throws -> MediaPlaylist {
    try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
  }

  /// Plays live slots until the open segment has so many parts; none means that the next one has not begun.
  private func goOn(_ camera: Camera, _ loop: inout CameraLoop, untilParts count: Int) throws {
    for number in 0..<40 {
      try slot(camera, &loop, gray: 200)
      if number >= 12, try playlist(camera).trailingParts.count == count { return }
    }
    Issue.record("the open segment never had \(count) parts")
  }

  private func luma(_ camera: Camera) throws -> Int {
    let jpeg = try #require(camera.edge.latest).jpeg
    let frame = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 20))
    return frame.withPlane(0) { plane in
      (0..<plane.height).reduce(0) { $0 + plane.row($1).reduce(0) { $0 + Int($1) } } / (plane.width * plane.height)
    }
  }

  @Test(arguments: [0, 1, 2, 5]) func aPauseShowsTheLoopWithTheNextPart(parts: Int) throws {
    let camera = try camera()
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: parts)
    let before = try playlist(camera)
    #expect(camera.counters.source == .live)
    loop.carryOut(.order(.pause))
    try slot(camera, &loop, gray: 250)
    #expect(camera.counters.source == .paused)
    #expect(try luma(camera) < 150, "the still that came after the order is not shown")
    let after = try playlist(camera)
    #expect(after.trailingParts.count == 1)
    let last = try #require(after.segments.last)
    #expect(last.duration == .seconds(parts == 0 ? 6 : Int64(parts)))
    let ended = after.mediaSequence + after.segments.count - before.mediaSequence - before.segments.count
    #expect(ended == (parts == 0 ? 0 : 1))
    if parts > 0 {
      #expect(last.parts == before.trailingParts, "the segment has the parts that were published")
      let whole = try #require(camera.edge.media(named: last.uri))
      let pieces = try before.trailingParts.map { try #require(camera.edge.media(named: $0.uri)) }
      #expect(pieces.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) } == whole)
    }
    let listed = after.segments.reduce(Ticks.zero) { $0 + $1.duration }
    #expect(after.targetDuration == 6 && listed >= .seconds(3 * 6) && after.segments.count >= 6)
    #expect(after.segments.allSatisfy { !$0.discontinuity })
    #expect(after.preloadHint?.uri != before.preloadHint?.uri)
  }

  /// Where parts have one picture, a pause can leave a segment of a single IDR picture, and adjacent ones must differ
  /// (ITU-T H.264, section 7.4.3).
  @Test(arguments: [1, 4]) func adjacentIDRPicturesHaveDifferentIdentifiers(rate: Int64) throws {
    let camera = try camera {
      $0.timeline = (try? TimelineSettings(rate: rate, part: .seconds(1), segment: .seconds(6))) ?? $0.timeline
    }
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 1)
    loop.carryOut(.order(.pause))
    for _ in 0..<12 { try slot(camera, &loop, gray: 250) }
    let playlist = try playlist(camera)
    let name = try #require(playlist.segments.first?.map?.uri)
    let header = try #require(camera.edge.media(named: name))
    let sets = try #require(ParameterSets(initSegment: header))
    let syntax = try #require(SliceSyntax(sets))
    var (ids, adjacent) = ([Int](), 0)
    var previous: Int?
    for segment in playlist.segments {
      for part in try FragmentReader.parts(in: try #require(camera.edge.media(named: segment.uri))) {
        for picture in part.pictures {
          let id = syntax.idrPictureID(of: picture)
          if let id, let previous {
            adjacent += 1
            #expect(id != previous)
          } else if let id {
            ids.append(id)
          }
          previous = id
        }
      }
    }
    #expect(adjacent == (rate == 1 ? 1 : 0))
    #expect(Set(ids) == [0], "all others have the same")
  }

  /// Parts of the loop are published ahead for players that wait; what they have is played first.
  @Test func aResumeShowsTheCameraOnceThePublishedPartsHavePlayed() throws {
    let camera = try camera()
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 2)
    loop.carryOut(.order(.pause))
    for _ in 0..<7 { try slot(camera, &loop, gray: 200) }
    let known = try #require(camera.edge.furthest).position
    loop.carryOut(.order(.resume))
    var slots = 0
    while camera.counters.source != .live, slots < 10 {
      try slot(camera, &loop, gray: 200)
      slots += 1
    }
    #expect(camera.counters.source == .live)
    let shown = try #require(camera.edge.snapshot).position
    #expect(shown == PartPosition(sequence: known.sequence + 1, part: 0))
    #expect(try playlist(camera).segments.last?.duration == .seconds(Int64(known.part + 1)))
    #expect(slots <= 3, "three parts are published at once")
    #expect(try luma(camera) > 150)
  }

  @Test func aCameraGoesOffAndComesBackWithTheNextPart() throws {
    let camera = try camera { $0.presence = .init(hold: .seconds(8), steady: .zero) }
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 1)
    // The newest still came a second before the last slot.
    for _ in 0..<6 {
      try slot(camera, &loop)
      #expect(camera.counters.source == .live)
    }
    try slot(camera, &loop)
    #expect(camera.counters.source == .off)
    #expect(try playlist(camera).trailingParts.count == 1)
    #expect(try playlist(camera).segments.last?.duration == .seconds(1))
    var slots = 0
    while camera.counters.source != .live, slots < 10 {
      try slot(camera, &loop, gray: 200)
      slots += 1
    }
    #expect((1...5).contains(slots), "\(slots) slots")
  }

  /// The name of a cached loop's segment stands for all its bytes, in browsers' caches too.
  @Test func aSegmentOfACachedLoopIsNeverCutShort() throws {
    let camera = try camera { $0.off = .cached }
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 2)
    loop.carryOut(.order(.pause))
    try slot(camera, &loop, gray: 200)
    #expect(camera.counters.source == .paused)
    for _ in 0..<2 { try slot(camera, &loop, gray: 200) }
    loop.carryOut(.order(.resume))
    while camera.counters.source != .live { try slot(camera, &loop, gray: 200) }
    let segments = try playlist(camera).segments
    let repeated = segments.filter { $0.uri.hasPrefix("loop-") }
    #expect(!repeated.isEmpty && repeated.allSatisfy { $0.duration == .seconds(6) })
    #expect(segments.filter { !$0.uri.hasPrefix("loop-") }.map(\.duration).contains(.seconds(2)))
  }

  @Test func theVeilKeepsToWholeSegments() throws {
    let camera = try camera()
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 2)
    for order in [Director.Order.veil, .unveil, .veil, .unveil] {
      loop.carryOut(.order(order))
      for _ in 0..<8 { try slot(camera, &loop, gray: 200) }
    }
    #expect(try playlist(camera).segments.suffix(5).allSatisfy { $0.duration == .seconds(6) })
  }

  @Test func whoReadsTheSegmentWhileItIsMadeGetsItsEnd() async throws {
    let camera = try camera()
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 3)
    let name = try #require(playlist(camera).preloadHint?.uri.split(separator: ".").first)
    var reader = try #require(camera.edge.openSegment(named: "\(name).mp4"))
    guard case .more(let begun) = await reader.read(deadline: .now + .seconds(5)) else {
      Issue.record("the segment is not open")
      return
    }
    loop.carryOut(.order(.pause))
    try slot(camera, &loop, gray: 200)
    guard case .last(let rest) = await reader.read(deadline: .now + .seconds(5)) else {
      Issue.record("the segment has no end")
      return
    }
    #expect(rest.readableBytes == 0)
    #expect(camera.edge.media(named: "\(name).mp4") == begun)
  }

  /// A loop is made of whole segments.
  @Test func aSegmentThatWasCutShortIsNotRemembered() throws {
    let camera = try camera { $0.remember = .seconds(600) }
    var loop = try loop(camera)
    try goOn(camera, &loop, untilParts: 2)
    let bytes = camera.recent.bytes
    loop.carryOut(.order(.pause))
    for _ in 0..<8 { try slot(camera, &loop, gray: 200) }
    #expect(bytes > 0 && camera.recent.bytes == bytes)
  }
}
