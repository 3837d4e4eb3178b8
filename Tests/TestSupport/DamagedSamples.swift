import Foundation

/// How many damaged samples the tests of readers of foreign and stored bytes try.
package enum DamagedSamples {
  private static let times =
    ProcessInfo.processInfo.environment["QUIETCAM_FUZZ_TIMES"].flatMap(Int.init).map { max(1, $0) } ?? 1

  /// The numbers of the samples: `usual` of them, or as many times that as `QUIETCAM_FUZZ_TIMES` says (`make fuzz`). All
  /// of a sample follows from its number.
  package static func numbers(_ usual: Int) -> Range<Int> { 0..<usual * times }
}

extension Mutation {
  /// What numbers become: ends of ranges, and what is no whole number.
  private static let values = [
    "0", "1", "-1", "7", "65536", "4294967295", "4294967296", "9007199254740991", "9007199254740992",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999", "0.5", "1e300",
    "null",
    "true", "253402300800000", "1795000000000",
  ].map { Array($0.utf8) }

  /// For JSON: its signs, and what is no JSON.
  package static let json = Mutation(
    tokens: [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "null", "true", "\"\"", "{}", "[]", "\n", "\0",
      "e9", ".", "-", "/", "../",
    ].map { Array($0.utf8) } + [[0xFF], [0xC3]], front: 300)

  /// Puts another value in the place of one to `most` of the numbers in a text.
  package static func changingNumbers(
    in bytes: [UInt8], most: Int, using random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...most, using: &random) {
      let starts = bytes.indices.filter { isDigit(bytes[$0]) && ($0 == 0 || !isDigit(bytes[$0 - 1])) }
      guard let start = starts.randomElement(using: &random) else { return bytes }
      let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.endIndex
      bytes.replaceSubrange(start..<end, with: values.randomElement(using: &random) ?? [])
    }
    return bytes
  }

  /// Damaged texts with the numbers of their samples: first `seeds` as they are.
  ///
  /// - Parameters:
  ///   - usual: how many, as in `DamagedSamples.numbers`.
  ///   - most: in how many places each is damaged at most.
  package func texts(of seeds: [String], _ usual: Int, most: Int = 3) -> some Sequence<(number: Int, text: String)> {
    DamagedSamples.numbers(usual).lazy.map { number in
      var random = SeededGenerator(seed: UInt64(number))
      let seed = Array(seeds[number % seeds.count].utf8)
      guard number >= seeds.count else { return (number, seeds[number]) }
      let other = Array((seeds.randomElement(using: &random) ?? "").utf8)
      let bytes =
        Int.random(in: 0..<3, using: &random) == 0
        ? Self.changingNumbers(in: seed, most: 2, using: &random)
        : applied(to: seed, mixing: other, most: most, using: &random)
      return (number, String(decoding: bytes, as: UTF8.self))
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
