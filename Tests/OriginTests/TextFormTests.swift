import Foundation
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

  @Test(
    arguments: [
      ("gzip, deflate, br, zstd", "br"), ("br", "br"), ("br;q=0.5, gzip", "gzip"), ("gzip;q=0.5, br;q=0.501", "br"),
      ("*", "gzip"), ("*, br;q=0", "gzip"), ("br;q=0", nil), ("identity, gzip;q=0.9", nil), ("identity, gzip", "gzip"),
      ("identity;q=0, br;q=0.001", "br"), ("identity;q=0", nil), ("br;q=x", "br"), ("brotli", nil),
      ("br;q=0.0001", "br"),
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
    #expect(Set(forms.map(\.bytes)).count == 3)
    #expect(forms.allSatisfy { $0.vary == "Accept-Encoding" && $0.useAsDictionary == nil })
    func known(_ tags: String) -> String? {
      TextForm.known(Self.text, to: [.ifNoneMatch: tags], chosen: forms[1].etag)
    }
    for form in forms { #expect(known(form.etag) == form.etag, "it is that of the form that the client has") }
    for tag in ["\"7.1x\"", "\"7.2\"", "\"7.1:abc\""] { #expect(known(tag) == nil) }
    #expect(known("*") == forms[1].etag)
    #expect(known("\"7.1b\", \"7.1z\"") == forms[1].etag)
    #expect(known("\"a\", W/\"7.1b\"") == forms[2].etag)
  }
}

@Suite struct DictionaryFormTests {
  private let old = EncodedText(
    ByteBuffer(string: (0..<90).map { "#EXTINF:12,\n\($0).mp4\n" }.joined()), etag: "7.1", earlier: [])
  private let unknown = EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "1.1", earlier: [])
  private let text: EncodedText
  private static let browser = "gzip, deflate, br, zstd, dcb, dcz"

  init() throws {
    let dictionary = try #require(old.dictionary)
    text = EncodedText(
      ByteBuffer(string: (1..<91).map { "#EXTINF:12,\n\($0).mp4\n" }.joined()), etag: "7.2", earlier: [dictionary])
  }

  private func form(_ accepted: String, _ dictionary: EncodedText?) -> TextForm {
    var fields: HTTPFields = [.acceptEncoding: accepted]
    fields[.availableDictionary] = dictionary?.dictionary?.name
    return TextForm.chosen(fields, of: text)
  }

  @Test func whoHasTheTextBeforeGetsWhatIsNew() throws {
    let form = form(Self.browser, old)
    #expect(form.coding == "dcz" && form.bytes.readableBytes < 100)
    let dictionary = try #require(old.dictionary)
    #expect(Array(form.bytes.readableBytesView.prefix(8)) == [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0])
    let digest = Data(form.bytes.readableBytesView.dropFirst(8).prefix(32)).base64EncodedString()
    #expect(dictionary.name == ":\(digest):")
    // It is made once.
    let again = self.form(Self.browser, old).bytes
    let address = { (bytes: ByteBuffer) in bytes.withUnsafeReadableBytes { $0.baseAddress } }
    #expect(address(again) == address(form.bytes))
  }

  @Test(
    arguments: [
      ("gzip, deflate, br, zstd", "br"), ("dcz", "dcz"), ("dcb, br", "br"), ("dcz;q=0, br", "br"),
      ("dcz;q=0.5, br", "br"), ("dcz;q=0.5, br;q=0.5", "dcz"), ("DCZ", "dcz"), ("*", "gzip"),
      ("identity, dcz;q=0.9", nil),
      ("dczx", nil),
    ] as [(String, String?)])
  func theDictionaryIsUsedOnlyWhereItIsAccepted(accepted: String, coding: String?) {
    #expect(form(accepted, old).coding == coding)
  }

  @Test func nobodyGetsWhatNeedsATextThatHeDoesNotName() {
    #expect(form(Self.browser, nil).coding == "br")
    #expect(form(Self.browser, unknown).coding == "br")
    #expect(form(Self.browser, text).coding == "br")
    #expect(form("dcz", unknown).coding == nil)
    // A text that has no versions before it, and one that never is a dictionary.
    var fields: HTTPFields = [.acceptEncoding: Self.browser]
    fields[.availableDictionary] = old.dictionary?.name
    #expect(TextForm.chosen(fields, of: old).coding == "br")
    #expect(TextForm.chosen(fields, of: EncodedText(old.plain, etag: "x")).coding == "br")
  }

  @Test func cachesAreToldWhatDecides() {
    for accepted in ["", "gzip", "br", "zstd", Self.browser] {
      for dictionary in [nil, old, unknown] {
        #expect(form(accepted, dictionary).vary == "Accept-Encoding, Available-Dictionary")
      }
    }
    #expect(form("gzip, deflate, br", nil).useAsDictionary == nil)
    #expect(form("zstd;q=0", nil).useAsDictionary == nil)
    #expect(form("gzip, deflate, br, zstd", nil).useAsDictionary == "match=\"live.m3u8\"")
    #expect(form(Self.browser, old).useAsDictionary == "match=\"live.m3u8\"")
  }

  @Test func eachDictionaryGivesATagOfItsOwn() throws {
    let form = form(Self.browser, old)
    #expect(!["\"7.2\"", "\"7.2b\"", "\"7.2z\""].contains(form.etag))
    func known(_ text: EncodedText, _ tags: String) -> String? {
      TextForm.known(text, to: [.ifNoneMatch: tags], chosen: "\"x\"")
    }
    #expect(known(text, form.etag) == form.etag)
    #expect(known(text, "\"a\", W/\(form.etag)") == form.etag)
    #expect(known(old, form.etag) == nil)
    let start = String(form.etag.prefix { $0 != ":" })
    for tag in ["\(start):", "\(start):a\nb\"", "\(start):0123456789abc\""] { #expect(known(text, tag) == nil) }
  }
}

@Suite struct AvailableDictionaryTests {
  private static let name = ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"

  @Test(arguments: [name, " \(name) ", "\(name);a", "\(name);a=1;b=\"x\"", String(name.dropLast(2)) + ":"])
  func aByteSequenceOf32BytesIsAName(value: String) {
    #expect(AvailableDictionary.name(in: value) == Self.name)
  }

  @Test(arguments: [
    "", ":", "::", ":=:", ":AAAA:", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "\"x\"", "1", "?1", "sha-256",
    name + "x", name + ", " + name, name + ";", String(name.dropLast()), String(name.dropFirst()),
    ":" + String(repeating: "A", count: 44) + ":", ":" + String(repeating: "A", count: 42) + "==:",
    ":" + String(repeating: "A", count: 43) + "-:", ":" + String(repeating: "=", count: 44) + ":",
    name + ";" + String(repeating: "a", count: 200), "\u{0}", ":é:",
  ])
  func everythingElseIsNone(value: String) { #expect(AvailableDictionary.name(in: value) == nil) }

  @Test func namesAreReadAgainAndDamageGivesNoOtherName() {
    var random = SeededGenerator(seed: 9842)
    let alphabet = Array("ABCXYZabcxyz0189+/=:; -_\"\t,\u{e9}")
    for _ in 0..<3000 {
      let digest = Data((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
      let name = ":\(digest.base64EncodedString()):"
      #expect(AvailableDictionary.name(in: name) == name)
      var damaged = Array(name)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: damaged[place] = alphabet.randomElement(using: &random) ?? "A"
        case 1: damaged.remove(at: place)
        default: damaged.insert(alphabet.randomElement(using: &random) ?? "A", at: place)
        }
      }
      // What is still read has the form of a name, so it is compared with names and found or not.
      guard let read = AvailableDictionary.name(in: String(damaged)) else { continue }
      #expect(read.utf8.count == 46 && read.hasPrefix(":") && read.hasSuffix("=:"), "\(String(damaged))")
    }
    for _ in 0..<3000 {
      let text = String(
        (0..<Int.random(in: 0...60, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "A" })
      if let read = AvailableDictionary.name(in: text) { #expect(read.utf8.count == 46, "\(text)") }
    }
  }
}
