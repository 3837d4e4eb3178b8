import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct PictureEncoderTests {
  private func encoder(
    size: PictureSize, perSecond: Int64 = 2, settings: EncoderSettings = EncoderSettings(), window: Int64 = 4
  ) throws -> PictureEncoder {
    try PictureEncoder(
      settings: settings, size: size, step: Ticks(Ticks.perSecond / perSecond), rateWindow: .seconds(window))
  }

  private static let roles: [PictureEncoder.Role] = [
    .idr, .repeated, .new, .new, .repeated, .idr, .idr, .repeated, .repeated, .new, .idr, .new,
  ]

  private func stream(size: PictureSize, perSecond: Int64, settings: EncoderSettings) throws -> CodedStream {
    var encoder = try encoder(size: size, perSecond: perSecond, settings: settings)
    var stream = CodedStream(size: size)
    var seed: UInt64 = 0
    for role in Self.roles {
      // An IDR picture of the same still happens with each segment; a new one otherwise.
      if role == .new { seed += 1 }
      try stream.add(try grainyPicture(size: size, grain: 20, seed: seed), as: role, with: &encoder)
    }
    return stream
  }

  @Test(arguments: [1, 2, 5, 25] as [Int64], EncoderSettings.Preset.allCases)
  func exactlyTheAskedPicturesAreIDRAndEachIsOneSliceWithoutUselessUnits(
    _ perSecond: Int64, _ preset: EncoderSettings.Preset
  ) throws {
    let size = PictureSize(width: 96, height: 64)
    let stream = try stream(size: size, perSecond: perSecond, settings: EncoderSettings(preset: preset))
    #expect(stream.pictures.map(\.isIDR) == Self.roles.map { $0 == .idr })
    let sets = try #require(stream.parameterSets)
    for (picture, role) in zip(stream.pictures, Self.roles) {
      let units = try CodedStream.units(of: picture)
      #expect(units.map { $0[0] & 0x1F } == (role == .idr ? [7, 8, 5] : [1]))
      if role == .idr {
        #expect(units[0] == Array(sets.sequence.readableBytesView))
        #expect(units[1] == Array(sets.picture.readableBytesView))
      }
    }
  }

  @Test func equalSettingsGiveEqualParameterSetsWhateverThePictures() throws {
    let size = PictureSize(width: 160, height: 120)
    func sets(grain: Int) throws -> ParameterSets? {
      var encoder = try encoder(size: size)
      _ = try encoder.encode(try grainyPicture(size: size, grain: grain, seed: 1), as: .idr)
      return encoder.parameterSets
    }
    let first = try #require(try sets(grain: 0))
    #expect(try sets(grain: 100) == first)
  }

  /// A loop is recorded at one time and shown at another: what the camera did before either must not show.
  @Test func stillsThatWereMissingLongAgoDoNotShow() throws {
    let size = PictureSize(width: 160, height: 120)
    func interval(missing: Range<Int>) throws -> Double {
      var encoder = try encoder(size: size)
      var frame = try grainyPicture(size: size, grain: 8, seed: 0)
      for number in 0..<24 {
        for step in 0..<8 {
          let isNew = step % 4 == 0 && !missing.contains(number)
          if isNew { frame = try grainyPicture(size: size, grain: 8, seed: UInt64(number * 2 + step / 4)) }
          _ = try encoder.encode(frame, as: step == 0 ? .idr : isNew ? .new : .repeated)
        }
      }
      return Double(encoder.interval) / 256
    }
    // Every fourth picture is new, those of segments' beginnings too.
    for missing in [0..<0, 2..<5, 0..<8] {
      let found = try interval(missing: missing)
      #expect(abs(found - 4) < 0.1, "\(missing)")
    }
  }

  @Test(arguments: EncoderSettings.Preset.allCases)
  func repeatedPicturesCostNextToNothingAndChangeNothing(_ preset: EncoderSettings.Preset) throws {
    let size = PictureSize(width: 640, height: 480)
    var encoder = try encoder(size: size, settings: EncoderSettings(preset: preset))
    var stream = CodedStream(size: size)
    for seed in 0..<UInt64(preset == .medium ? 3 : 1) {
      let frame = try grainyPicture(size: size, grain: 25, seed: seed)
      try stream.add(frame, as: seed == 0 ? .idr : .new, with: &encoder)
      for _ in 0..<5 { try stream.add(frame, as: .repeated, with: &encoder) }
    }
    let repeats = stream.pictures.enumerated().filter { $0.offset % 6 != 0 }.map(\.element.bytes.readableBytes).sorted()
    #expect(repeats.last ?? 0 <= 24, "\(repeats)")
    let shown = try stream.decoded()
    for index in shown.indices where index % 6 != 0 {
      #expect(shown[index].distance(to: shown[index / 6 * 6]) == 0)
    }
  }

  /// A camera that sends one still in many segments has only repeats and IDR pictures of the same still.
  @Test func theSamePictureNeedsNoEncoder() throws {
    let size = PictureSize(width: 160, height: 120)
    var released = try encoder(size: size)
    var open = try encoder(size: size)
    var (stream, kept) = (CodedStream(size: size), CodedStream(size: size))
    var frame = try grainyPicture(size: size, grain: 25, seed: 0)
    var seed = 0
    let roles: [(Int, PictureEncoder.Role)] = [
      (0, .idr), (0, .repeated), (0, .repeated), (0, .idr), (0, .repeated), (1, .new), (1, .repeated), (1, .idr),
      (1, .repeated), (1, .idr), (1, .repeated), (2, .new), (2, .repeated),
    ]
    for (index, (picture, role)) in roles.enumerated() {
      if picture != seed { frame = try grainyPicture(size: size, grain: 25, seed: UInt64(picture)) }
      seed = picture
      if [1, 8].contains(index) { released.release() }
      try stream.add(frame, as: role, with: &released)
      try kept.add(frame, as: role, with: &open)
    }
    // The IDR picture is the same again while nothing else was encoded.
    #expect(stream.pictures[3] == stream.pictures[0] && stream.pictures[9] == stream.pictures[7])
    // A new picture after the memory was given back is an IDR picture.
    #expect(stream.pictures.map(\.isIDR) == roles.indices.map { roles[$0].1 == .idr || [5, 11].contains($0) })
    #expect(kept.pictures.map(\.isIDR) == roles.map { $0.1 == .idr })
    for stream in [stream, kept] {
      let shown = try stream.decoded()
      #expect(shown.count == roles.count)
      for index in shown.indices.dropFirst() where roles[index].1 == .repeated {
        #expect(shown[index].distance(to: shown[index - 1]) == 0)
      }
    }
  }

  /// Where the last picture of a segment is the first after the memory was given back, it is an IDR picture just before
  /// that of the next segment, and the two must differ (ITU-T H.264, section 7.4.3). All others have the same identifier.
  @Test(arguments: [EncoderSettings.Preset.slow, .ultrafast], [false, true])
  func anExtraIDRPictureDiffersFromTheNext(_ preset: EncoderSettings.Preset, standsStill: Bool) throws {
    let size = PictureSize(width: 96, height: 64)
    var encoder = try encoder(size: size, settings: EncoderSettings(preset: preset), window: 4)
    var stream = CodedStream(size: size)
    for segment in 0..<3 {
      let frame = try grainyPicture(size: size, grain: 25, seed: UInt64(2 * segment))
      let last = try grainyPicture(size: size, grain: 25, seed: UInt64(2 * segment + 1))
      try stream.add(frame, as: .idr, with: &encoder)
      for _ in 0..<2 { try stream.add(frame, as: .repeated, with: &encoder) }
      encoder.release()
      try stream.add(last, as: .new, with: &encoder)
      // The picture stays, so the next segment begins with the very same.
      if standsStill {
        try stream.add(last, as: .idr, with: &encoder)
        for _ in 0..<3 { try stream.add(last, as: .repeated, with: &encoder) }
      }
    }
    let sets = encoder.parameterSets
    let syntax = try #require(sets.flatMap { SliceSyntax($0) })
    let ids = stream.pictures.map { syntax.idrPictureID(of: $0) }
    let (extra, plain): ([Int?], [Int?]) = ([0, nil, nil, 1], [0, nil, nil, nil])
    #expect(ids == Array(repeating: standsStill ? extra + plain : extra, count: 3).flatMap { $0 })
    let shown = try stream.decoded()
    #expect(shown.count == stream.pictures.count)
    for index in ids.indices.dropFirst() where ids[index] == nil || standsStill && index % 8 == 4 {
      #expect(shown[index].distance(to: shown[index - 1]) == 0)
    }
  }

  /// The order of pictures is told from a few bits, and repeats do not count as references: after very many of them a
  /// decoder must still know which picture is meant.
  @Test(arguments: [EncoderSettings.Preset.ultrafast, .slow]) func manyRepeatsAreDecoded(
    _ preset: EncoderSettings.Preset
  ) throws {
    let size = PictureSize(width: 96, height: 64)
    var encoder = try encoder(size: size, settings: EncoderSettings(preset: preset), window: 4)
    var stream = CodedStream(size: size)
    for seed in 0..<20 {
      let frame = try grainyPicture(size: size, grain: 25, seed: UInt64(seed))
      try stream.add(frame, as: seed % 10 == 0 ? .idr : .new, with: &encoder)
      // Some segments are longer than they should be.
      for _ in 0..<seed * 2 { try stream.add(frame, as: .repeated, with: &encoder) }
    }
    let shown = try stream.decoded()
    #expect(shown.count == stream.pictures.count)
    var (index, different) = (0, 0)
    for seed in 0..<20 {
      for step in 1..<max(1, seed * 2 + 1) where shown[index + step].distance(to: shown[index]) > 1 { different += 1 }
      index += seed * 2 + 1
    }
    #expect(different == 0)
    let facts = try ForeignProgram.probe(stream.annexB(), keys: ["has_b_frames", "nb_read_frames"])
    #expect(facts["has_b_frames"] == "0")
  }

  @Test(arguments: [(640, 480, "smpte170m"), (1280, 720, "bt709"), (320, 576, "smpte170m"), (98, 578, "bt709")])
  func foreignReadersSeeTheCodecAndColoursThatAreMeant(_ width: Int, _ height: Int, _ matrix: String) throws {
    let size = PictureSize(width: width, height: height)
    var encoder = try encoder(size: size)
    var stream = CodedStream(size: size)
    try stream.add(try Frame.slate(size: size), as: .idr, with: &encoder)
    let keys = [
      "profile", "level", "color_range", "color_space", "color_transfer", "color_primaries", "width", "height",
      "pix_fmt",
      "has_b_frames", "sample_aspect_ratio", "r_frame_rate", "field_order", "chroma_location",
    ]
    let facts = try ForeignProgram.probe(stream.annexB(), keys: keys)
    #expect(facts["color_range"] == "tv")
    #expect(facts["color_space"] == matrix)
    #expect(facts["color_primaries"] == "bt709")
    #expect(facts["color_transfer"] == "bt709")
    #expect(facts["width"] == "\(width)" && facts["height"] == "\(height)")
    #expect(facts["pix_fmt"] == "yuv420p")
    #expect(facts["has_b_frames"] == "0")
    #expect(facts["field_order"] == "progressive")
    #expect(facts["r_frame_rate"] == "2/1" || facts["r_frame_rate"] == "4/1")
    let codec = try #require(stream.parameterSets?.codec)
    let profile = try #require(["High": "64", "Main": "4D", "Constrained Baseline": "42"][facts["profile"] ?? ""])
    let level = try #require(facts["level"].flatMap { Int($0) })
    #expect(codec.hasPrefix("avc1.\(profile)"))
    #expect(Int(codec.suffix(2), radix: 16) == level)
  }

  @Test func theConfigurationRecordHoldsBothParameterSets() throws {
    let size = PictureSize(width: 64, height: 64)
    var encoder = try encoder(size: size)
    _ = try encoder.encode(try Frame.slate(size: size), as: .idr)
    let known = encoder.parameterSets
    let sets = try #require(known)
    var expected = ByteBuffer(bytes: [1])
    expected.writeBytes(sets.sequence.readableBytesView.dropFirst().prefix(3))
    expected.writeBytes([0xFF, 0xE1])
    try expected.writeLengthPrefixed(as: UInt16.self) { $0.writeImmutableBuffer(sets.sequence) }
    expected.writeBytes([1])
    try expected.writeLengthPrefixed(as: UInt16.self) { $0.writeImmutableBuffer(sets.picture) }
    expected.writeBytes([0xFD, 0xF8, 0xF8, 0])
    #expect(sets.configurationRecord == expected)
  }

  /// Pictures of pure noise that nothing before predicts, which want many times the rate, after others like them and after a quiet minute: the
  /// bounds are those that a multivariant playlist promises.
  @Test(arguments: [(1, 60), (2, 100), (5, 200), (25, 700)] as [(Int64, Int)])
  func theHighestRateHoldsForPicturesOfNoise(_ perSecond: Int64, _ kilobits: Int) throws {
    let size = PictureSize(width: 160, height: 120)
    var encoder = try encoder(
      size: size, perSecond: perSecond,
      settings: EncoderSettings(preset: .veryfast, crf: 20, references: 1, maxKilobits: kilobits))
    let odd = try grainyPicture(size: size, grain: 255, seed: 1)
    let even = try grainyPicture(size: size, grain: 255, seed: 2)
    func rates(quiet: Int, noisy: Int) throws -> [Int] {
      try (0..<quiet + noisy).map { segment in
        var bits = 0
        for step in 0..<Int(4 * perSecond) {
          let role = step == 0 ? PictureEncoder.Role.idr : segment < quiet ? .repeated : .new
          let coded =
            segment < quiet || step % 2 == 0 ? try encoder.encode(even, as: role) : try encoder.encode(odd, as: role)
          bits += 8 * coded.bytes.readableBytes
        }
        return bits / 4
      }
    }
    let noisy = try rates(quiet: 0, noisy: 10)
    let mixed = try rates(quiet: 3, noisy: 3)
    let bound = Double(1000 * kilobits)
    #expect((noisy + mixed).allSatisfy { Double($0) < 1.25 * 2 * bound }, "\(noisy), \(mixed)")
    #expect(Double(noisy.reduce(0, +) / noisy.count) < 1.1 * bound, "\(noisy)")
    // The noise is what the rate stops, not the quantizer.
    #expect(noisy.contains { Double($0) > 0.8 * bound })
  }
}
