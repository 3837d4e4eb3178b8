import TestSupport
import Testing

@testable import Ingest

/// Coded data ends where a search byte by byte says, however dense the stuffed bytes and restart markers are.
@Suite struct JPEGCodedBytesTests {
  private struct End: Equatable {
    var offset: Int
    var hasRestarts: Bool
  }

  private func reference(_ bytes: [UInt8], from start: Int) -> End {
    var (offset, hasRestarts) = (start, false)
    while offset + 1 < bytes.count {
      switch (bytes[offset], bytes[offset + 1]) {
      case (0xFF, 0x00), (0xFF, 0xFF): offset += 1
      case (0xFF, 0xD0...0xD7):
        hasRestarts = true
        offset += 1
      case (0xFF, _): return End(offset: offset, hasRestarts: hasRestarts)
      default: offset += 1
      }
    }
    return End(offset: bytes.count, hasRestarts: hasRestarts)
  }

  private func found(_ bytes: [UInt8], from start: Int) -> End {
    var hasRestarts = false
    let offset = bytes.withUnsafeBytes { $0.endOfCodedData(from: start, hasRestarts: &hasRestarts) }
    return End(offset: offset, hasRestarts: hasRestarts)
  }

  @Test(arguments: [1, 2, 3, 8, 40] as [Int])
  func itEndsWhereItDoesByteByByte(_ distance: Int) {
    var random = SeededGenerator(seed: UInt64(distance))
    for round in 0..<400 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...300, using: &random) {
        if Int.random(in: 0..<distance, using: &random) == 0 {
          // In most rounds nothing ends it, so that it is passed over to its end.
          bytes += [
            0xFF, [0x00, 0x00, 0xD0, 0xD7, 0xFF, round % 4 == 0 ? 0xD9 : 0x00].randomElement(using: &random) ?? 0,
          ]
        } else {
          bytes.append([0x00, 0x01, 0x7F, 0xD3, 0xFE].randomElement(using: &random) ?? 0)
        }
      }
      let start = Int.random(in: 0...bytes.count, using: &random)
      #expect(found(bytes, from: start) == reference(bytes, from: start), "\(bytes) from \(start)")
    }
  }

  @Test func eachPlaceOfAMarkerIsFound() {
    for stuffing: [UInt8] in [[0xFF, 0x00], [0xFF, 0xD5], [0xFF, 0xFF]] {
      for place in 0..<200 {
        var bytes = Array((0..<150).map { _ in stuffing }.joined())
        bytes.insert(contentsOf: [0xFF, 0xDA], at: place)
        #expect(found(bytes, from: 0) == reference(bytes, from: 0))
      }
    }
  }

  @Test func fillEndsAtTheFirstOtherByte() {
    for length in 0..<70 {
      for start in 0...length {
        let bytes = [UInt8](repeating: 0xFF, count: length)
        #expect(bytes.withUnsafeBytes { $0.endOfFill(from: start) } == length)
        #expect((bytes + [0xFE, 0xFF]).withUnsafeBytes { $0.endOfFill(from: start) } == length)
      }
    }
  }
}
