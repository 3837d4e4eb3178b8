import Ingest
import Media
import NIOCore
import TestSupport
import Testing

@testable import Picture

/// Damage of any kind: the walk and the decoder answer with a picture or a refusal, whatever comes.
@Suite struct HeaderMutationTests {
  private static let maxPixels = 200_000

  /// Small fixtures of every kind, cut to what a mutation is likely to hit.
  private static func seeds() throws -> [[UInt8]] {
    try Fixture.good.filter { ($0.length ?? .max) < 7000 && ($0.width ?? 0) < 1000 }.map { try $0.bytes() }
  }

  private func mutated(_ seed: [UInt8], _ other: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = seed
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      // Half of the hits go to the markers at the front.
      let reach = Bool.random(using: &random) ? min(bytes.count, 700) : bytes.count
      guard reach > 8 else { break }
      let at = Int.random(in: 0..<reach, using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[at] = [0x00, 0xFF, 0xD8, 0xD9, 0xDA, 0xC0, 0xC4, 0xDB].randomElement(using: &random) ?? 0
      case 3: bytes.remove(at: at)
      case 4: bytes.insert([0x00, 0xFF].randomElement(using: &random) ?? 0, at: at)
      case 5: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1..<64, using: &random)))
      case 6: bytes.removeSubrange(at...)
      default:
        let from = Int.random(in: 0..<other.count, using: &random)
        bytes.insert(contentsOf: other[from..<min(other.count, from + Int.random(in: 1..<200, using: &random))], at: at)
      }
    }
    return bytes
  }

  /// The picture with little coded data in its last scan, which the walk only skips.
  private func shortened(_ bytes: [UInt8]) -> [UInt8] {
    guard let length = try? JPEGHeader(ByteBuffer(bytes: bytes), maxPixels: Self.maxPixels).length,
      let scan = bytes[..<length].indices.last(where: { bytes[$0] == 0xDA && bytes[$0 - 1] == 0xFF }),
      scan + 200 < length
    else { return bytes }
    return Array(bytes[..<(scan + 100)] + bytes[(length - 40)...])
  }

  @Test func mutationsAreTakenOrRefusedAndNeverMisreadTheirLength() throws {
    let seeds = try Self.seeds().map(shortened)
    var random = SeededGenerator(seed: 1)
    var (taken, refused) = (0, 0)
    for _ in 0..<20_000 {
      let bytes = mutated(
        seeds.randomElement(using: &random)!, seeds.randomElement(using: &random)!, using: &random)
      // The picture need not begin where its buffer does.
      var buffer = ByteBuffer(bytes: [0xFF, 0xD8, 0xFF])
      buffer.moveReaderIndex(forwardBy: 3)
      buffer.writeBytes(bytes)
      do {
        let header = try JPEGHeader(buffer, maxPixels: Self.maxPixels)
        taken += 1
        #expect(header.length <= bytes.count && bytes[..<header.length].suffix(2) == [0xFF, 0xD9])
        #expect(header.size.pixels <= Self.maxPixels && header.size.pixels > 0)
        let clean = try? Self.clean(header, buffer)
        #expect(clean.map { $0.readableBytes <= header.length } ?? false)
      } catch {
        refused += 1
        #expect(!error.detail.isEmpty)
      }
    }
    #expect(taken > 1000 && refused > 1000)
  }

  private static func clean(_ header: JPEGHeader, _ jpeg: ByteBuffer) throws(FFmpegError) -> ByteBuffer {
    let packet = try Packet.copy(of: jpeg, ranges: header.pictureRanges)
    return ByteBuffer(bytes: packet.bytes)
  }

  @Test func whatTheHeaderTakesDecodesInItsSizeOrIsRefused() throws {
    let seeds = try Self.seeds()
    var random = SeededGenerator(seed: 2)
    var (decodedCount, refused) = (0, 0)
    while decodedCount + refused < 1500 {
      let bytes = mutated(
        seeds.randomElement(using: &random)!, seeds.randomElement(using: &random)!, using: &random)
      let buffer = ByteBuffer(bytes: bytes)
      guard let header = try? JPEGHeader(buffer, maxPixels: Self.maxPixels) else { continue }
      do {
        let size = try StillDecoder().decode(buffer, header: header).size
        decodedCount += 1
        #expect(size == header.size)
      } catch {
        refused += 1
        #expect(error.reason == .corrupt || error.reason == .unsupported)
      }
    }
    #expect(decodedCount > 100 && refused > 100)
  }

  @Test(arguments: ["good/exif-full.jpg", "good/progressive-420.jpg", "good/metadata-all.jpg", "good/restart-mcu.jpg"])
  func everyPrefixOfAPictureIsRefused(_ file: String) throws {
    let bytes = try Fixture.bytes(of: file)
    let length = try JPEGHeader(ByteBuffer(bytes: bytes), maxPixels: Self.maxPixels).length
    let whole = ByteBuffer(bytes: bytes)
    for count in stride(from: 0, to: length, by: 7) {
      let buffer = try #require(whole.getSlice(at: 0, length: count))
      let refusal = #expect(throws: StillRefusal.self) { try JPEGHeader(buffer, maxPixels: Self.maxPixels) }
      #expect(refusal?.reason == (count < 3 ? .notJPEG : .truncated))
    }
  }

  @Test func theLimitOfPixelsHoldsToThePixel() throws {
    let buffer = ByteBuffer(bytes: try Fixture.bytes(of: "good/baseline-420.jpg"))
    #expect(try JPEGHeader(buffer, maxPixels: 128 * 96).size.pixels == 128 * 96)
    let refusal = #expect(throws: StillRefusal.self) { try JPEGHeader(buffer, maxPixels: 128 * 96 - 1) }
    #expect(refusal?.reason == .tooLarge)
  }

  @Test(arguments: Fixture.good.filter { $0.file.contains("comment") || $0.file.contains("metadata") })
  func theDecoderNeverSeesComments(_ fixture: Fixture) throws {
    let buffer = ByteBuffer(bytes: try fixture.bytes())
    let header = try JPEGHeader(buffer, maxPixels: Self.maxPixels)
    let clean = try Self.clean(header, buffer)
    let again = try JPEGHeader(clean, maxPixels: Self.maxPixels)
    #expect(again.metadata.isEmpty)
    #expect(again.length == clean.readableBytes)
    #expect(again.size == header.size)
  }
}
