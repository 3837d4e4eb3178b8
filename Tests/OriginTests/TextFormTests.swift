import HTTPTypes
import NIOCore
import Station
import TestSupport
import Testing

@testable import Origin

@Suite struct AcceptedCodingsTests {
  @Test(arguments: [
    ("gzip", true), ("gzip, deflate, br", true), ("br;q=1.0, gzip;q=0.8, *;q=0.1", true), ("GZIP", true), ("*", true),
    ("x-gzip", true), ("deflate", false), ("", false), ("identity;q=1, *;q=0", false), ("gzip;q=0", false),
    ("gzip; q=0.000", false), ("gzip;q=0.001", true), ("*;q=0, gzip", true), ("*, gzip;q=0", false),
    ("gzip;Q=0", false), ("gzip; Q=0.0", false), ("gzip;Q=0.5", true), ("gzip\t;\tq=0", false),
  ])
  func gzipGoesOnlyToThoseWhoTakeIt(header: String, takes: Bool) {
    #expect((AcceptedCodings(header).gzip > 0) == takes)
  }

  @Test func nothingSaidIsPlain() {
    #expect(AcceptedCodings(nil) == AcceptedCodings(""))
    #expect(TextForm.chosen([:], of: Self.text).coding == nil)
  }

  private static let text = EncodedText(ByteBuffer(string: String(repeating: "segment\n", count: 99)), etag: "7.1")

  @Test(arguments: [
    ("gzip, deflate, br, zstd", "br"), ("br", "br"), ("br;q=0.5, gzip", "gzip"), ("gzip;q=0.5, br;q=0.501", "br"),
    ("*", "gzip"), ("*, br;q=0", "gzip"), ("br;q=0", nil), ("identity, gzip;q=0.9", nil), ("identity, gzip", "gzip"),
    ("identity;q=0, br;q=0.001", "br"), ("identity;q=0", nil), ("br;q=x", "br"), ("brotli", nil), ("br;q=0.0001", "br"),
    ("br;level=1;q=0", nil), ("br;q=0, br", nil), (",,;q=1, br ,", "br"), ("br;q=1.5", "br"), ("br;q=", "br"),
  ] as [(String, String?)])
  func theHeaviestAndThenTheSmallestIsSent(header: String, coding: String?) {
    #expect(TextForm.chosen([.acceptEncoding: header], of: Self.text).coding == coding)
  }

  @Test func theFormIsTheSmallestOfTheHeaviestWhateverTheHeaderLooksLike() {
    var random = SeededGenerator(seed: 16)
    let names = ["gzip", "br", "identity", "deflate", "zstd"]
    func cased(_ word: String) -> String { Bool.random(using: &random) ? word : word.uppercased() }
    func space() -> String { ["", " ", "\t", "  "].randomElement(using: &random)! }
    for _ in 0..<3000 {
      var weights: [String: Int] = [:]
      var items: [String] = []
      for name in names.shuffled(using: &random) where Bool.random(using: &random) {
        let weight = [0, 1, 250, 500, 999, 1000].randomElement(using: &random)!
        weights[name] = weight
        let digits = "000\(weight)".suffix(3)
        let text = weight == 1000 ? ["", ";q=1", ";q=1.000"].randomElement(using: &random)! : ";q=0.\(digits)"
        items.append(space() + cased(name) + text.replacing(";", with: space() + ";" + space()) + space())
      }
      let header = items.joined(separator: ",")
      // What is not mentioned is worse than all that is.
      let candidates = ["br", "gzip"].map { ($0 as String?, weights[$0] ?? 0) } + [(nil, weights["identity"] ?? 1)]
      let most = candidates.map(\.1).max()!
      let expected = most == 0 ? nil : candidates.first { $0.1 == most }!.0
      #expect(TextForm.chosen([.acceptEncoding: header], of: Self.text).coding == expected, "\(header)")
    }
  }

  @Test func noDamagedHeaderGivesACodingThatItDoesNotName() {
    var random = SeededGenerator(seed: 17)
    let pieces = ["gzip", "br", "q=", "0", "1", ".", ";", ",", " ", "*", "=", "x", "\t", "é", "-", "q"]
    for _ in 0..<5000 {
      let header = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random)! }
        .joined()
      let accepted = AcceptedCodings(header)
      for weight in [accepted.gzip, accepted.brotli, accepted.identity] { #expect((0...1000).contains(weight)) }
      #expect(accepted.brotli == 0 || header.contains("br"), "\(header)")
      #expect(accepted.gzip == 0 || header.contains("gzip") || header.contains("*"), "\(header)")
    }
  }

  @Test func formsHaveTagsOfTheirOwn() {
    let headers: [HTTPFields] = [[:], [.acceptEncoding: "gzip"], [.acceptEncoding: "br"]]
    let forms = headers.map { TextForm.chosen($0, of: Self.text) }
    #expect(forms.map(\.etag) == ["\"7.1\"", "\"7.1z\"", "\"7.1b\""])
    #expect(Set(TextForm.etags(of: Self.text)) == Set(forms.map(\.etag)))
    #expect(Set(forms.map(\.bytes)).count == 3 && forms.allSatisfy { $0.vary.contains("Accept-Encoding") })
  }
}
