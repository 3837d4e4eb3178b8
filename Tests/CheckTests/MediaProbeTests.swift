import Media
import Playlist
import TestSupport
import Testing

@testable import Check

@Suite struct MediaProbeTests {
  private typealias Piece = MediaProbe.Piece

  private static func piece(
    _ number: Int, seconds: Ticks = .seconds(2), follows: Bool = true, map: String? = "init", independent: Bool = true
  ) -> Piece {
    Piece(
      key: "\(number)", follows: follows ? "\(number - 1)" : nil, url: "s\(number)", duration: seconds, map: map,
      claimsIndependence: independent, isSegment: true)
  }

  private static let variant = MultivariantPlaylist.Variant(
    uri: "live.m3u8", bandwidth: 10_000, averageBandwidth: 10_000, codecs: "avc1.42001e",
    resolution: PictureSize(width: 64, height: 48))

  /// What is found in segment 2, after a good init segment and a good segment 1 that lasts from 0 to 2 s.
  private func findings(
    _ bytes: [UInt8], _ piece: Piece = piece(2), initSegment: [UInt8] = SampleMedia.initSegment()
  ) -> [Finding] {
    var probe = MediaProbe(variant: Self.variant)
    var found = probe.takeInit(initSegment, url: "init").findings
    found += probe.take(Self.piece(1, follows: false), SampleMedia.fragment(start: 0, pictures: 4)).findings
    return found + probe.take(piece, bytes).findings
  }

  @Test("Segments that continue yield nothing, also when made of several fragments")
  func good() {
    #expect(findings(SampleMedia.fragment(start: 2000, pictures: 4)) == [])
    let two =
      SampleMedia.fragment(start: 2000, pictures: 2) + SampleMedia.fragment(start: 3000, pictures: 2, isIDR: false)
    #expect(findings(two) == [])
  }

  @Test("Each fault in fragmented MP4 yields its own finding")
  func faults() {
    func expect(_ rule: Rule, _ severity: Rule.Severity, _ found: [Finding], _ line: SourceLocation = #_sourceLocation)
    {
      #expect(found.map(\.rule) == [rule], "\(found.map(\.message))", sourceLocation: line)
      #expect(found.first?.severity == severity, sourceLocation: line)
    }
    expect(.timing, .should, findings(SampleMedia.fragment(start: 2100, pictures: 4)))
    expect(.discontinuity, .must, findings(SampleMedia.fragment(start: 9000, pictures: 4)))
    expect(.discontinuity, .must, findings(SampleMedia.fragment(start: 0, pictures: 4)))
    expect(
      .timing, .should,
      findings(SampleMedia.fragment(start: 2000, pictures: 4), Self.piece(2, seconds: .milliseconds(1_800))))
    expect(
      .timing, .must, findings(SampleMedia.fragment(start: 2000, pictures: 4), Self.piece(2, seconds: .seconds(1))))
    expect(.independence, .must, findings(SampleMedia.fragment(start: 2000, pictures: 4, isIDR: false)))
    expect(
      .independence, .should,
      findings(SampleMedia.fragment(start: 2000, pictures: 4, isIDR: false), Self.piece(2, independent: false)))
    expect(.declaration, .must, findings(SampleMedia.fragment(start: 2000, pictures: 4, track: 2)))
    expect(.declaration, .must, findings(SampleMedia.fragment(start: 2000, pictures: 4), Self.piece(2, map: nil)))
    expect(.timing, .must, findings(Array("<html>not found</html>".utf8)))
    expect(.timing, .must, findings(Array(SampleMedia.fragment(start: 2000, pictures: 4).dropLast(3))))
    let gap = SampleMedia.fragment(start: 2000, pictures: 2) + SampleMedia.fragment(start: 3100, pictures: 2)
    expect(.timing, .should, findings(gap))
    let large =
      SampleMedia.fragment(start: 2000, pictures: 4) + SampleMedia.box("free", Array(repeating: 0, count: 4_000))
    expect(.variant, .must, findings(large))
    let init1 = SampleMedia.initSegment(entryWidth: 80)
    expect(.declaration, .should, findings(SampleMedia.fragment(start: 2000, pictures: 4), initSegment: init1))
  }

  @Test("Parameter sets in the media must be those of the init segment, and change at a discontinuity only")
  func parameterSets() {
    let other = SampleMedia.parameterSet(width: 80)
    let found = findings(SampleMedia.fragment(start: 2000, pictures: 4, parameterSet: other))
    #expect(Set(found.map(\.rule)) == [.declaration, .discontinuity])
    let marked = findings(
      SampleMedia.fragment(start: 2000, pictures: 4, parameterSet: other), Self.piece(2, follows: false))
    #expect(Set(marked.map(\.rule)) == [.declaration])
  }

  @Test("What is over the average bandwidth is found at the end")
  func average() {
    var probe = MediaProbe(variant: Self.variant)
    _ = probe.takeInit(SampleMedia.initSegment(), url: "init")
    var found: [Finding] = []
    for number in 0..<12 {
      let bytes =
        SampleMedia.fragment(start: 2000 * number, pictures: 4)
        + SampleMedia.box("free", Array(repeating: 0, count: 2_700))
      found += probe.take(Self.piece(number), bytes).findings
    }
    #expect(found == [])
    #expect(probe.finish().findings.map(\.rule) == [.variant])
    #expect(probe.finish().findings.map(\.severity) == [.should])
  }

  @Test("Each fault in a transport stream yields its own finding")
  func transportStream() {
    func find(_ bytes: [UInt8], follows: Bool = true, seconds: Ticks = .seconds(1)) -> [Rule] {
      var probe = MediaProbe()
      let wrapped = 1 << 33 - 45_000
      let first = SampleMedia.transportStream(start: wrapped, pictures: 10)
      #expect(probe.take(Self.piece(1, seconds: .seconds(1), map: nil), first).findings == [])
      let found = probe.take(Self.piece(2, seconds: seconds, follows: follows, map: nil), bytes).findings
      return found.map(\.rule)
    }
    #expect(find(SampleMedia.transportStream(start: 45_000, pictures: 10)) == [])
    #expect(find(SampleMedia.transportStream(start: 405_000, pictures: 10)) == [.discontinuity])
    #expect(find(SampleMedia.transportStream(start: 405_000, pictures: 10), follows: false) == [])
    #expect(find(SampleMedia.transportStream(start: 70_000, pictures: 10)) == [.timing])
    #expect(find(SampleMedia.transportStream(start: 45_000, pictures: 20)) == [.timing])
    #expect(find(SampleMedia.transportStream(start: 45_000, pictures: 10, isIDR: false)) == [.independence])
    #expect(find(SampleMedia.transportStream(start: 45_000, pictures: 10, hasTables: false)) == [.declaration])
    let other = SampleMedia.parameterSet(width: 128)
    #expect(find(SampleMedia.transportStream(start: 45_000, pictures: 10, parameterSet: other)) == [.discontinuity])
  }

  @Test("Parameter sets of real encoders are read: x264 with and without cropping")
  func realParameterSets() throws {
    let cropped = try #require(
      AVCParameterSets(sequence: Self.bytes("67640028acd940780227e5c044000003000400000300c83c60c658")))
    #expect(cropped.size == PictureSize(width: 1920, height: 1080))
    #expect(cropped.codec == "avc1.640028")
    let own = try #require(
      AVCParameterSets(sequence: Self.bytes("67640016acb40501ed350101064000000300400000030123c58ba8")))
    #expect(own.size == PictureSize(width: 640, height: 480))
    #expect(own.codec == "avc1.640016")
  }

  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    stride(from: 0, to: hexadecimal.count, by: 2).compactMap {
      UInt8(hexadecimal.dropFirst($0).prefix(2), radix: 16)
    }
  }

  @Test("Whatever the bytes are, reading ends and nothing crashes", arguments: 0..<8)
  func mutations(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    let samples = [
      SampleMedia.initSegment(), SampleMedia.fragment(start: 2000, pictures: 4),
      SampleMedia.transportStream(start: 0, pictures: 4), SampleMedia.parameterSet(),
    ]
    let tracks = FragmentedMP4.tracks(init: samples[0]) ?? []
    #expect(tracks.count == 1)
    var understood = 0
    for _ in 0..<1_500 {
      var bytes = samples[Int.random(in: 0..<samples.count, using: &generator)]
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes[index] = 0xFF
        default: bytes.removeSubrange(index..<min(bytes.count, index + 5))
        }
        if bytes.isEmpty { bytes = [0] }
      }
      let mutated = FragmentedMP4.tracks(init: bytes)
      for track in [tracks, mutated ?? []] {
        let runs = FragmentedMP4.runs(segment: bytes, tracks: track)
        understood += runs == nil ? 0 : 1
      }
      understood += AVCParameterSets(sequence: bytes) == nil ? 0 : 1
      understood += TransportStream(bytes).times.isEmpty ? 0 : 1
      _ = AVC.accessUnit(annexB: bytes)
      var probe = MediaProbe(variant: Self.variant)
      _ = probe.takeInit(bytes, url: "init")
      _ = probe.take(Self.piece(1), bytes)
    }
    #expect(understood > 0)
  }
}
