import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct SliceSyntaxTests {
  private let size = PictureSize(width: 96, height: 64)

  private func stream(_ preset: EncoderSettings.Preset, segments: Int) throws -> CodedStream {
    var encoder = try PictureEncoder(
      settings: EncoderSettings(preset: preset), size: size, step: .milliseconds(500), rateWindow: .seconds(2))
    var stream = CodedStream(size: size)
    for number in 0..<segments {
      for role in [PictureEncoder.Role.idr, .repeated, .new, .repeated] {
        let seed = UInt64(2 * number + (role == .new ? 1 : 0))
        try stream.add(try grainyPicture(size: size, grain: 30, seed: seed), as: role, with: &encoder)
      }
    }
    return stream
  }

  /// A veil puts recorded segments among live ones, which would tell of it if identifiers counted.
  @Test(arguments: EncoderSettings.Preset.allCases) func eachIDRPictureHasTheSame(_ preset: EncoderSettings.Preset)
    throws
  {
    let stream = try stream(preset, segments: 9)
    let syntax = try #require(stream.parameterSets.flatMap(SliceSyntax.init))
    #expect(
      stream.pictures.filter(\.isIDR).map { syntax.idrPictureID(of: $0) } == Array(repeating: 0, count: 9))
  }

  @Test func segmentsOfOnePictureHaveIdentifiersThatDiffer() throws {
    var encoder = try PictureEncoder(
      settings: EncoderSettings(preset: .ultrafast, ssim: 0), size: size, step: .seconds(1), rateWindow: .seconds(1))
    var stream = CodedStream(size: size)
    for seed in 0..<4 {
      try stream.add(try grainyPicture(size: size, grain: 30, seed: UInt64(seed)), as: .idr, with: &encoder)
    }
    let syntax = try #require(stream.parameterSets.flatMap(SliceSyntax.init))
    let ids = try stream.pictures.map { try #require(syntax.idrPictureID(of: $0)) }
    #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 != $1 })
  }

  /// Whatever is written, the decoder shows the same picture, and what is written back are the same bytes.
  @Test(arguments: EncoderSettings.Preset.allCases, [1, 2, 7, 65535])
  func otherwiseNothingChanges(_ preset: EncoderSettings.Preset, _ value: Int) throws {
    let stream = try stream(preset, segments: 4)
    let syntax = try #require(stream.parameterSets.flatMap(SliceSyntax.init))
    var before = try StreamDecoder()
    var after = try StreamDecoder()
    for picture in stream.pictures {
      let changed = syntax.writing(idrPictureID: value, in: picture)
      #expect((changed == picture) == !picture.isIDR)
      #expect(syntax.writing(idrPictureID: 0, in: changed) == picture)
      #expect(syntax.idrPictureID(of: changed) == (picture.isIDR ? value : nil))
      var (old, new) = (syntax.headers(of: picture), syntax.headers(of: changed))
      for index in old.indices { old[index].idrPictureID = nil }
      for index in new.indices { new[index].idrPictureID = nil }
      #expect(old == new && old.count == 1)
      let shown = try before.decode(picture)
      let again = try after.decode(changed)
      for index in 0..<3 {
        let rows = shown.withPlane(index) { plane in (0..<plane.height).map { Array(plane.row($0)) } }
        #expect(again.withPlane(index) { plane in (0..<plane.height).map { Array(plane.row($0)) } } == rows)
      }
    }
  }

  /// FFmpeg's own reader of headers says the same.
  @Test(arguments: EncoderSettings.Preset.allCases)
  func headersAreReadAsFFmpegReadsThem(_ preset: EncoderSettings.Preset) throws {
    let stream = try stream(preset, segments: 3)
    let syntax = try #require(stream.parameterSets.flatMap(SliceSyntax.init))
    let command = "ffmpeg -v info -nostdin -f h264 -i \"$0\" -c copy -bsf:v trace_headers -f null - 2>&1"
    let text = try ForeignProgram.run(["sh", "-c", command, "INPUT"], input: try stream.annexB())
    var theirs: [[String: [Int]]] = []
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("[trace_headers") {
      if line.hasSuffix("Slice Header") { theirs.append([:]) }
      let words = line.split(separator: " ")
      guard !theirs.isEmpty, words.count >= 8, words[words.count - 2] == "=", let value = Int(words[words.count - 1])
      else { continue }
      theirs[theirs.count - 1][String(words[4]), default: []].append(value)
    }
    let ours = stream.pictures.flatMap { syntax.headers(of: $0) }
    try #require(theirs.count == ours.count && ours.count == 12)
    for (header, fields) in zip(ours, theirs) {
      #expect(fields["first_mb_in_slice"] == [header.firstMacroblock])
      #expect(fields["slice_type"] == [header.type])
      #expect(fields["frame_num"] == [header.frameNumber])
      #expect(fields["idr_pic_id"] == header.idrPictureID.map { [$0] })
      #expect(fields["pic_order_cnt_lsb"] == header.pictureOrder.map { [$0] })
      #expect(fields["num_ref_idx_l0_active_minus1"] == header.references.map { [$0 - 1] })
      #expect(fields["cabac_init_idc"] == header.cabacTable.map { [$0] })
      #expect(fields["slice_qp_delta"] == [header.quantizer])
      #expect(fields["disable_deblocking_filter_idc"] == header.deblocking.first.map { [$0] })
    }
  }

  @Test func cutSlicesAndOtherStreamsAreNotRead() throws {
    let stream = try stream(.medium, segments: 1)
    let sets = try #require(stream.parameterSets)
    let syntax = try #require(SliceSyntax(sets))
    let slice = try #require(CodedStream.units(of: stream.pictures[0]).last)
    for count in 0..<4 {
      #expect(slice.prefix(count).withUnsafeBytes { syntax.header(of: $0) } == nil)
      #expect(slice.prefix(count).withUnsafeBytes { syntax.writing(idrPictureID: 3, in: $0) } == nil)
    }
    #expect(ParameterSets(configurationRecord: sets.configurationRecord) == sets)
    for count in 0..<sets.configurationRecord.readableBytes - 5 {
      let cut = sets.configurationRecord.getSlice(at: 0, length: count)
      #expect(cut.flatMap { ParameterSets(configurationRecord: $0) } == nil, "\(count) bytes")
    }
  }
}
