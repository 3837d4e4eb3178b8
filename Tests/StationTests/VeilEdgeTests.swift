import Foundation
import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Where a veil falls and where it is lifted, pictures, `latest.jpg` and events stay together as they do with any still.
@Suite struct VeilEdgeTests {
  private let logger = Logger.silent
  private let size = PictureSize(width: 64, height: 48)
  /// The brightness of the camera's stills and, apart from it, of the recorded ones.
  private let live = Array(stride(from: 20, through: 110, by: 10))
  private let recorded = Array(stride(from: 140, through: 230, by: 10))

  /// A rhythm of stills, in milliseconds.
  struct Rhythm: Sendable, CustomTestStringConvertible {
    let gaps: ClosedRange<Int64>
    /// How many of a hundred events under a veil have to come as those of the recording did. Others take the place of
    /// stills that came, and where all do or few come at all it cannot be told.
    var known = 0
    var testDescription: String { "a still each \(gaps) ms" }
  }

  private func still(_ gray: Int) throws -> ByteBuffer { try SampleStill.gray(gray, size: size) }

  private func brightness(_ picture: borrowing Frame) -> Double {
    picture.withPlane(0) { plane in
      var sum = 0
      // They are of one brightness all over.
      let rows = stride(from: 0, to: plane.height, by: 8)
      for y in rows { sum += plane.row(y).reduce(0) { $0 + Int($1) } }
      return Double(sum) / Double(plane.width * rows.underestimatedCount)
    }
  }

  /// The brightness of a JPEG on the scale of the video, which is of limited range.
  private func brightness(_ jpeg: ByteBuffer) throws -> Double {
    let picture = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: .max))
    return 16 + brightness(picture) * 219 / 255
  }

  /// A viewer who decodes all parts and holds them against the events and `latest.jpg`.
  private struct Viewer: ~Copyable {
    var decoder: StreamDecoder
    var shown = 0.0
    var lastID: Int64 = 0
    /// When the stills came of which the events told, in milliseconds, and what was shown then.
    var events: [(source: Director.Source, time: Int64)] = []
    var sources: [Director.Source] = []
    /// The brightness of all pictures.
    var pictures: [Double] = []
    /// The lines that playlists had before the first veil.
    var lines: Set<String> = []

    /// The times from event to event.
    var gaps: [Int64] { zip(events.dropFirst(), events).map { $0.time - $1.time } }

    /// How many times there were three events under a veil, and how often they came one after the other as three
    /// stills of the recording did.
    func recorded(_ gaps: [Int64]) -> (count: Int, known: Int) {
      let recorded = Set(zip(gaps, gaps.dropFirst()).map { [$0, $1] })
      let own = self.gaps
      let veiled = own.indices.dropFirst().filter { index in
        events[(index - 1)...(index + 1)].allSatisfy { $0.source == .veiled }
      }
      return (veiled.count, veiled.count { recorded.contains([own[$0 - 1], own[$0]]) })
    }
  }

  /// The lines of the newest playlist, without names, dates and what counts on.
  private func lines(_ camera: Camera) throws -> Set<String> {
    let text = String(buffer: try #require(camera.edge.snapshot).media.plain)
    let counting = ["#EXT-X-PROGRAM-DATE-TIME:", "#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-RENDITION-REPORT:"]
    return Set(
      text.split(separator: "\n").map { line in
        guard line.contains(".mp4") || counting.contains(where: line.hasPrefix) else { return String(line) }
        return String(decoding: line.utf8.filter { !(48...57).contains($0) }, as: UTF8.self)
      })
  }

  /// Which stills make pictures so bright, one behind the other.
  private func stills(_ brightness: [Double]) -> [Int] {
    let grays = brightness.map { Int((($0 - 16) * 25.5 / 219).rounded()) }
    return grays.indices.filter { $0 == 0 || grays[$0] != grays[$0 - 1] }.map { grays[$0] }
  }

  /// Whether the playlist without parts showed the same pictures in the same order, up to four that it told before or
  /// has not told yet.
  private func isAlike(_ plain: [Int], _ parts: [Int]) -> Bool {
    (0...4).contains { early in
      let told = plain.dropFirst(early)
      return parts.starts(with: told) && parts.count - told.count <= 4
    }
  }

  private func look(_ viewer: inout Viewer, at camera: Camera, _ where_: String) async throws {
    let new = try lines(camera).subtracting(viewer.lines)
    #expect(new.isEmpty, "\(where_): no playlist had such lines before the first veil")
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    let part = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
    let bytes = try #require(camera.edge.media(named: part.uri))
    let pictures = try FragmentReader.parts(in: bytes)[0].pictures
    var seen: [Double] = []
    for picture in pictures { seen.append(brightness(try viewer.decoder.decode(picture))) }
    viewer.pictures += seen
    var events: [CameraEvent] = []
    if camera.events.newestID > viewer.lastID {
      events = try #require(await camera.events.events(after: viewer.lastID, deadline: .now + .seconds(5)))
      viewer.lastID = camera.events.newestID
    }
    let latest = try brightness(try #require(camera.edge.latest).jpeg)
    #expect(abs(seen[seen.count - 1] - latest) < 4, "\(where_): the stream shows \(seen), latest.jpg \(latest)")
    if events.isEmpty {
      #expect(seen.allSatisfy { abs($0 - viewer.shown) < 4 }, "\(where_): no event, and \(viewer.shown) became \(seen)")
    } else if events.count == 1, abs(latest - viewer.shown) > 4 {
      #expect(abs(seen[0] - viewer.shown) > 4, "\(where_): an event, and \(viewer.shown) stays \(seen)")
    }
    for event in events {
      let fields = try #require(try JSONSerialization.jsonObject(with: Data(event.json.utf8)) as? [String: Any])
      let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
      let time = try format.parse(try #require(fields["time"] as? String))
      viewer.events.append((camera.counters.source, Int64((time.timeIntervalSince1970 * 1000).rounded())))
    }
    viewer.shown = seen[seen.count - 1]
    viewer.sources.append(camera.counters.source)
    if camera.counters.source == .veiled {
      // Limited range ends below the darkest recorded picture; what stood when the veil fell may still stand.
      #expect(events.isEmpty || latest > 125, "\(where_): a picture of the camera is shown under the veil")
    }
  }

  @Test(arguments: [Rhythm(gaps: 1400...1700, known: 15), Rhythm(gaps: 990...1010), Rhythm(gaps: 4600...5400)])
  func nothingChangesButWithAStill(_ rhythm: Rhythm) async throws {
    let folder = TemporaryFolder.path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let settings = try CameraSettings.sample(
      size: size, rate: 4, segment: .seconds(6), hold: nil, steady: .zero)
    var generator = SeededGenerator(seed: 7)
    let clock = TurnedClock()
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let pool = EncodePool(threads: 1)
    let logger = logger
    var viewer = Viewer(decoder: try StreamDecoder())
    var lead = 0
    var plain = try PlainViewer(measure: brightness)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: pool) {
        let loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: logger)
        await loop.run()
      }
      await clock.settle()
      var (due, count, grays, recordedGaps) = (Int64(300), 0, recorded, [Int64]())
      func slot() async throws {
        var spent: Int64 = 0
        while due < 1000 {
          await clock.advance(by: .milliseconds(due - spent))
          spent = due
          _ = try camera.take(try still(grays[count % grays.count]))
          let gap = Int64.random(in: rhythm.gaps, using: &generator)
          if grays == recorded { recordedGaps.append(gap) }
          (due, count) = (due + gap, count + 1)
        }
        await clock.advance(by: .milliseconds(1000 - spent))
        due -= 1000
      }
      for _ in 0..<480 { try await slot() }
      let file = try #require(camera.recent.file(span: .seconds(450), segment: settings.timeline.segment))
      var maker = try LoopMaker.open(folder: folder, settings: settings, isProcessed: true, logger: logger)
      let isAsItWas = try maker.append(
        try LoopRecording(file), mayReuse: true, limit: .seconds(450), progress: { _ in })
      #expect(isAsItWas)
      _ = try maker.finish(source: LoopSource(kind: .recording), made: .now)
      grays = live
      for number in 0... {
        try await slot()
        viewer.lines.formUnion(try lines(camera))
        try await plain.look(at: camera)
        if number >= 20, camera.edge.snapshot?.position.part == 5 { break }
      }
      viewer.shown = try brightness(try #require(camera.edge.latest).jpeg)
      viewer.lastID = camera.events.newestID
      lead = plain.shown.count
      for round in 0..<12 {
        for order in [Director.Order.veil, .unveil] {
          async let isDone = camera.carryOut(.order(order))
          for number in 0..<(order == .veil ? 30 : 60) {
            try await slot()
            try await plain.look(at: camera)
            try await look(&viewer, at: camera, "\(order) \(round), slot \(number)")
          }
          #expect(await isDone)
        }
      }
      let found = viewer.recorded(recordedGaps)
      print("\(rhythm.testDescription): of \(found.count) under a veil \(found.known) in the recording's rhythm")
      #expect(100 * found.known >= rhythm.known * found.count, "\(found)")
      group.cancelAll()
      try await group.waitForAll()
    }
    await pool.shutDown()
    let (parts, told) = (stills(viewer.pictures), stills(Array(plain.shown.dropFirst(lead))))
    #expect(parts.count > 100 && isAlike(told, parts), "\(rhythm.testDescription): \(parts) in parts, \(told) without")
    let sources = viewer.sources
    #expect(Set(sources) == [.live, .veiled])
    #expect(zip(sources, sources.dropFirst()).count { $0 == .live && $1 == .veiled } == 12)
    #expect(sources.count { $0 == .veiled } > 12 * 20 && sources.count { $0 == .live } > 12 * 20)
    // Where the recording is in another step than the camera, a time is drawn as near to the rhythm as its slot allows.
    let near = rhythm.gaps.lowerBound - 700...rhythm.gaps.upperBound + 700
    let odd = viewer.gaps.filter { !near.contains($0) }
    print("\(rhythm.testDescription): \(viewer.gaps.count) intervals, \(odd.count) odd ones: \(odd)")
    // Of 24 edges few are odd: those where nothing fitted for four segments, and the one where the recording comes round.
    #expect(odd.count <= 8, "\(odd)")
  }
}
