import Media
import NIOCore
import Packager
import TestSupport
import Testing

@testable import Station

@Suite struct LoopPlayerTests: LoopMaking {
  /// The pictures that cover stills go on behind the loop's end, where nothing of it can be played.
  @Test func noPictureCoversAStillAgainSoon() async throws {
    let settings = try settings()
    let timeline = settings.timeline
    try await withFolder { folder in
      var maker = try LoopMaker.open(folder: folder, settings: settings, logger: logger)
      try maker.append(try still(gray: 20))
      // No segment behind the first begins with a new picture, and each has one.
      for index in 1..<12 {
        try maker.hold(until: timeline.segment * Int64(index) + timeline.part)
        try maker.append(try still(gray: 20 + 18 * index))
      }
      try maker.hold(until: timeline.segment * 12)
      _ = try maker.finish(source: LoopSource(kind: .stills), made: .now)
      let loop = try #require(try open(folder, settings))
      let reader = LoopReader(logger: logger) { loop }
      var player = LoopPlayer(
        builtIn: try Loop.slate(settings, logger: logger), timeline: timeline, reader: reader)
      player.load()
      player.beginReadingAhead()
      let seam = LoopSeam(StillRhythm(), collectedFrom: .zero, timeline: timeline)
      var (covers, shown, random) = (CoverQueue(), [ByteBuffer](), SeededGenerator(seed: 1))
      for _ in 0..<1000 where shown.count < 30 {
        player.prepareVeil(seam, goesOn: false, after: covers, using: &random)
        // What has not been read by then comes with one of the next segments.
        try await Task.sleep(for: .milliseconds(5))
        let next = player.advanceUnderVeil(seam, goesOn: false, mayPlay: false, after: covers, using: &random)
        guard case .covers(let segments) = next else { break }
        covers.append(segments)
        if let picture = covers.take() { shown.append(picture) }
      }
      #expect(shown.count == 30)
      for index in shown.indices.dropFirst(5) {
        #expect(!shown[index - 5..<index].contains(shown[index]), "picture \(index)")
      }
    }
  }
}
