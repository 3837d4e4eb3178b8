import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// The second encode, for the playlist without parts, while the machine steps down and up.
@Suite struct PlainStepTests {
  /// Whatever the level is at which somebody asks for the playlist, its first segment is coded as all others can follow.
  @Test(arguments: [LoadLevel.full, LoadLevel.all[3], LoadLevel.all[4], .lowest])
  func aStepTakesEffectWithTheNextSegment(_ first: LoadLevel) throws {
    var settings = try CameraSettings.sample(
      size: PictureSize(width: 64, height: 48), hold: .seconds(60), steady: .zero)
    settings.encoder = EncoderSettings(preset: .slow)
    let timeline = settings.timeline.plain
    var stream = try PlainStream.open(settings, firstName: 1, logger: .silent)
    var levels: [LoadLevel] = []
    var media: [(name: String, bytes: ByteBuffer)] = []
    let order = [first] + LoadLevel.all + LoadLevel.all.reversed()
    for (number, level) in order.enumerated() {
      stream.level = level
      let jpeg = try SampleStill.gray(40 + number * 7, isStriped: true)
      try stream.append(
        PlainHistory.Slot(
          start: timeline.segment * Int64(number), date: WallTime(milliseconds: 1_764_000_000_000),
          steps: timeline.stepsPerPart, changes: [ShownPicture(step: 0, jpeg: jpeg)]))
      let coded = stream.codedLevel
      levels.append(try #require(coded))
      media += stream.takePublication()?.adding ?? []
    }
    #expect(levels == [.full] + order.dropFirst())
    // One init segment, and media that decodes as one stream.
    let whole = media.map { (try? FragmentReader.parts(in: $0.bytes))?.isEmpty == false }
    #expect(whole.count { !$0 } == 1 && whole.count { $0 } == order.count)
    var decoder = try StreamDecoder()
    for (number, file) in zip(whole, media).filter(\.0).map(\.1).enumerated() {
      let pictures = try FragmentReader.parts(in: file.bytes).flatMap(\.pictures)
      #expect(pictures.count { $0.isIDR } == 1, "segment \(number)")
      for picture in pictures { _ = try decoder.decode(picture) }
    }
  }
}
