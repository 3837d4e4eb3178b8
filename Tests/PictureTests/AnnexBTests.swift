import Media
import NIOCore
import TestSupport
import Testing

@testable import Picture

@Suite struct AnnexBTests {
  private static let oddities: [([UInt8], [[UInt8]])] = [
    ([], []),
    ([0, 0, 1], []),
    ([0, 0, 0, 1], []),
    ([0, 0, 1, 0x65], [[0x65]]),
    ([0x65, 0x66], []),
    ([7, 0, 0, 1, 0x65], [[0x65]]),
    ([0, 0, 1, 0x65, 0, 0, 0], [[0x65]]),
    ([0, 0, 1, 0x65, 0, 0, 1], [[0x65]]),
    ([0, 0, 1, 0x65, 0, 0, 3, 1, 9], [[0x65, 0, 0, 3, 1, 9]]),
    ([0, 0, 1, 0, 0, 1, 0x67, 1, 0, 0, 0, 0, 1, 0x68], [[0x67, 1], [0x68]]),
  ]

  /// Few values, so that start codes and their near misses come all the time.
  private static let values: [UInt8] = [0, 0, 0, 1, 1, 2, 3, 0x65, 0xFF]

  private func units(of bytes: [UInt8]) -> [[UInt8]] {
    var units: [[UInt8]] = []
    bytes.withUnsafeBytes { pointer in
      AnnexB.forEachUnit(in: pointer) { kind, unit in
        #expect(unit.first.map { $0 & 0x1F } == kind)
        units.append([UInt8](unit))
      }
    }
    return units
  }

  /// The same by the definition: what lies between start codes, without the zeros at its end.
  private func naiveUnits(of bytes: [UInt8]) -> [[UInt8]] {
    var starts: [Int] = []
    for index in bytes.indices.dropLast(2) where Array(bytes[index...index + 2]) == [0, 0, 1] { starts.append(index) }
    return zip(starts, starts.dropFirst() + [bytes.count]).compactMap { start, end in
      var unit = Array(bytes[start + 3..<end])
      while unit.last == 0 { unit.removeLast() }
      return unit.isEmpty ? nil : unit
    }
  }

  @Test func unitsAreSplitAsTheNaiveSplitterDoes() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...40, using: &random)
      let bytes = (0..<count).map { _ in Self.values.randomElement(using: &random)! }
      #expect(units(of: bytes) == naiveUnits(of: bytes), "\(bytes)")
    }
  }

  @Test(arguments: oddities)
  func oddBeginningsAndEndingsAreRead(_ bytes: [UInt8], _ expected: [[UInt8]]) {
    #expect(units(of: bytes) == expected)
  }

  @Test func lengthsReplaceStartCodesAndUselessUnitsGo() {
    let bytes: [UInt8] = [
      0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x06, 5, 1, 0, 0, 1, 0x0C, 0xFF, 0, 0,
      1,
      0x65, 4, 5, 6,
    ]
    let expected: [UInt8] = [0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 2, 0x68, 3, 0, 0, 0, 4, 0x65, 4, 5, 6]
    #expect(bytes.withUnsafeBytes { AnnexB.lengthPrefixed($0) } == ByteBuffer(bytes: expected))
  }
}
