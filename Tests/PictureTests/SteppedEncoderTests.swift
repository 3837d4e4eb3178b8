import Media
import NIOCore
import Testing

@testable import Picture

/// Streams whose encoder is stepped down and up again from segment to segment.
@Suite struct SteppedEncoderTests {
  private let size = PictureSize(width: 160, height: 96)

  private func encoder(_ settings: EncoderSettings, published: ParameterSets?) throws -> PictureEncoder {
    try PictureEncoder(
      settings: settings, size: size, step: .milliseconds(500), rateWindow: .seconds(3), published: published)
  }

  /// A segment of each level in turn, and the sets of the stream.
  private func stream(_ settings: EncoderSettings) throws -> (pictures: [CodedPicture], sets: ParameterSets) {
    var last = try encoder(settings, published: nil)
    _ = try last.encode(try grainyPicture(size: size, grain: 20, seed: 1), as: .idr)
    let made = last.parameterSets
    let sets = try #require(made)
    var pictures: [CodedPicture] = []
    for (number, level) in (LoadLevel.all + LoadLevel.all.reversed()).enumerated() {
      var next = try encoder(level.settings(for: settings), published: sets)
      next.takeLearning(of: &last)
      next.isHurried = number % 2 == 1
      for (index, role) in [PictureEncoder.Role.idr, .repeated, .new, .new, .repeated, .new].enumerated() {
        let picture = try grainyPicture(size: size, grain: 20, seed: UInt64(number * 2 + index / 2))
        pictures.append(try next.encode(picture, as: role))
      }
      let own = next.parameterSets
      #expect(own == sets)
      last = consume next
    }
    return (pictures, sets)
  }

  @Test(arguments: [EncoderSettings.Preset.slow, .medium, .veryfast], [1, 4, 9])
  func eachLevelFitsIntoOneStream(_ preset: EncoderSettings.Preset, _ references: Int) throws {
    let (pictures, sets) = try stream(EncoderSettings(preset: preset, references: references))
    let syntax = try #require(SliceSyntax(sets))
    var decoder = try StreamDecoder()
    for picture in pictures {
      // No IDR picture brings other sets, and each header can be read by the stream's own.
      var bytes = picture.bytes
      while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
        let kind = unit.getInteger(at: unit.readerIndex, as: UInt8.self).map { $0 & 0x1F }
        if kind == AnnexB.Kind.sequenceParameterSet { #expect(unit == sets.sequence) }
        if kind == AnnexB.Kind.pictureParameterSet { #expect(unit == sets.picture) }
      }
      #expect(syntax.headers(of: picture).count == 1)
      _ = try decoder.decode(picture)
    }
    #expect(pictures.filter(\.isIDR).allSatisfy { syntax.idrPictureID(of: $0) == 0 })
  }

  /// The rewritten stream shows to the pixel what the encoder has made.
  @Test(arguments: [EncoderSettings.Preset.veryfast, .superfast, .slow]) func rewritingChangesNoPicture(
    _ preset: EncoderSettings.Preset
  ) throws {
    var stepped = EncoderSettings(preset: preset)
    stepped.searched = 1
    var full = try encoder(EncoderSettings(preset: preset), published: nil)
    _ = try full.encode(try grainyPicture(size: size, grain: 20, seed: 1), as: .idr)
    let made = full.parameterSets
    let sets = try #require(made)
    var plain = try encoder(stepped, published: nil)
    var rewritten = try encoder(stepped, published: sets)
    var left = try StreamDecoder()
    var right = try StreamDecoder()
    var differing = 0
    for index in 0..<12 {
      let picture = try grainyPicture(size: size, grain: 20, seed: UInt64(index / 2))
      let role: PictureEncoder.Role = index == 0 ? .idr : index % 2 == 0 ? .new : .repeated
      let own = try plain.encode(picture, as: role)
      let other = try rewritten.encode(picture, as: role)
      if own != other { differing += 1 }
      let before = try left.decode(own)
      let after = try right.decode(other)
      for plane in 0..<3 {
        let rows = before.withPlane(plane) { view in (0..<view.height).map { Array(view.row($0)) } }
        #expect(after.withPlane(plane) { view in (0..<view.height).map { Array(view.row($0)) } } == rows)
      }
    }
    let (before, after) = (plain.parameterSets, rewritten.parameterSets)
    #expect(before != sets && after == sets)
    #expect(differing == 12)
  }

  /// A picture that is kept takes four times its size.
  @Test func anEncoderKeepsNoMorePicturesThanItSearches() throws {
    var full = try encoder(EncoderSettings(references: 3), published: nil)
    _ = try full.encode(try grainyPicture(size: size, grain: 20, seed: 1), as: .idr)
    let made = full.parameterSets
    let sets = try #require(made)
    var stepped = EncoderSettings(references: 3)
    stepped.searched = 1
    let first = try encoder(stepped, published: nil).bounds
    #expect(first == "dpb-size=3", "the sets of a stream are those of the camera's own settings")
    let later = try encoder(stepped, published: sets).bounds
    #expect(later == "dpb-size=1:level=\(sets.level)")
    let own = try encoder(EncoderSettings(references: 3), published: sets).bounds
    #expect(own == "dpb-size=3")
  }

  @Test func anotherStreamIsRefused() throws {
    var small = try PictureEncoder(
      settings: EncoderSettings(), size: PictureSize(width: 96, height: 64), step: .seconds(1), rateWindow: .seconds(2))
    _ = try small.encode(try grainyPicture(size: PictureSize(width: 96, height: 64), grain: 20, seed: 1), as: .idr)
    let made = small.parameterSets
    let sets = try #require(made)
    #expect(throws: FFmpegError.self) {
      var other = try encoder(EncoderSettings(), published: sets)
      _ = try other.encode(try grainyPicture(size: size, grain: 20, seed: 1), as: .idr)
    }
  }
}
