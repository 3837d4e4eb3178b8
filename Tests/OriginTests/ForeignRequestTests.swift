import Access
import HTTPTypes
import Media
import NIOCore
import Packager
import Records
import TestSupport
import Testing

@testable import Origin

/// What strangers write into requests: each is read within its bounds, or means nothing.
@Suite struct ForeignRequestTests {
  private static let damage = Mutation(
    tokens: [
      " ", "\t", ",", ";", "=", "-", "\"", "*", "W/", ":", "/", "//", "?", "&", "%", "%2", "%2F", "%7e", "%00", "%C3",
      "~",
      ".", "..", "\0", "é", "0", "9", "999999999999999999", "1000000000000000000", "q=", "bytes=", "gzip", "\u{301}",
      "_HLS_msn=", "_HLS_part=", "for=", "unknown", "[", "]",
    ].map { Array($0.utf8) }, front: 60)

  /// Calls with a few of these texts as they are, and with damaged ones.
  private func forEachText(of seeds: [String], _ usual: Int = 800, _ body: (String, _ sample: Comment) throws -> Void)
    rethrows
  {
    for (number, text) in Self.damage.texts(of: seeds, usual) {
      try body(text, "sample \(number): \(text.debugDescription)")
    }
  }

  @Test func aRangeLiesWithinTheResource() {
    var some = 0
    forEachText(of: ["bytes=0-", "bytes=10-19", "bytes=-5", "Bytes= 1 - 2 ", "bytes=0-1,5-6"]) { text, sample in
      for length in [0, 1, 100] {
        let fields: HTTPFields = [.range: text, .ifRange: "\"a\""]
        guard case .bytes(let range) = RequestConditions.range(fields, length: length, etag: "\"a\"") else { continue }
        some += 1
        #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= length, sample)
      }
    }
    #expect(some > 100, "\(some)")
  }

  @Test func anETagIsFoundOnlyWhereItStands() {
    var found = 0
    forEachText(of: ["\"a1\"", "W/\"a1\", \"b\"", "*", "\"b\", \"a1\"", "\"a1:abcdefghijkl\""]) { text, sample in
      guard RequestConditions.matches([.ifNoneMatch: text], anyOf: ["\"a1\""]) else { return }
      found += 1
      #expect(text.contains("a1") || text.contains("*"), sample)
    }
    #expect(found > 100, "\(found)")
  }

  @Test func weightsOfCodingsAreThousandths() {
    forEachText(of: ["gzip, br;q=0.5, dcz", "*;q=0", "x-gzip ; q=0.001,identity;q=1.000", "zstd"]) { text, sample in
      let codings = AcceptedCodings(text)
      for weight in [codings.gzip, codings.brotli, codings.dictionary, codings.identity] {
        #expect((0...1000).contains(weight), sample)
      }
    }
  }

  @Test func aDictionaryHasANameOfOneForm() {
    let name = ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    var read = 0
    forEachText(of: [name, name.replacing("=", with: ""), name + ";a=1", "\"\(name)\""]) { text, sample in
      guard let name = AvailableDictionary.name(in: text) else { return }
      read += 1
      #expect(name.utf8.count == 46 && name.hasPrefix(":") && name.hasSuffix("=:"), sample)
      #expect(AvailableDictionary.name(in: name) == name, sample)
    }
    #expect(read > 20, "\(read)")
  }

  @Test func aBlockingReloadWaitsForWhatComesSoon() throws {
    let timeline = try TimelineSettings(rate: 2, part: .seconds(1), segment: .seconds(12))
    let newest = PartPosition(sequence: 100, part: 4)
    var waits = 0
    forEachText(of: ["_HLS_msn=101&_HLS_part=0", "_HLS_msn=100&_HLS_part=6&_HLS_skip=YES", "_HLS_msn=102"]) {
      text, sample in
      do throws(BlockingReload.Refusal) {
        let reload = try BlockingReload(query: text[...])
        guard let target = try reload.target(newest: newest, timeline: timeline) else { return }
        waits += 1
        #expect(target > newest && target.sequence <= newest.sequence + 3, sample)
        #expect((0..<timeline.partsPerSegment).contains(target.part), sample)
      } catch {
        #expect(!error.detail.isEmpty && error.detail.utf8.count < 400, sample)
      }
    }
    #expect(waits > 100, "\(waits)")
  }

  @Test func aTargetLeadsToOneThingOrNowhere() {
    let link = ViewerLink(
      camera: CameraName("desk")!, expiry: 1_790_000_100, key: LinkKey(secret: "some-link-key-of-ours"))
    let seeds = [
      "/desk/live.m3u8?_HLS_msn=7", "/", "/desk/7.0.mp4", "/%64esk/", "/desk/\(link)/photos.json", "/_/page.css",
      "/desk/photo-1790000000000-640x480-0123456789abcdef.jpg", "/favicon.ico", "/cameras/desk/veil",
      "/tokens/1122aabb",
      "/cameras/desk/recent.mp4?for=600", "/reload", "//desk//", "/oembed?url=https%3A%2F%2Fa%2Fdesk%2F&maxwidth=9",
    ]
    var routes = 0
    forEachText(of: seeds, 1500) { text, sample in
      let target = RequestTarget(text)
      #expect(!target.path.contains("?"), sample)
      #expect(target.path.utf8.count + target.query.utf8.count <= text.utf8.count, sample)
      #expect(target.withoutEmptySegments.map { !$0.contains("//") && $0.hasPrefix("/") } ?? true, sample)
      let pass = ViewerPass(path: target.path)
      #expect(pass.path.utf8.count <= target.path.utf8.count + 1, sample)
      if let route = PublicRoute(path: pass.path) {
        routes += 1
        switch route {
        case .file(let camera, let name):
          #expect(!name.contains("/") && name.hasSuffix(".mp4") && !camera.text.contains("/"), sample)
          _ = OpenSegmentAnswer.fields(of: name, date: nil)
        case .asset(let name), .icon(let name): #expect(!name.contains("/"), sample)
        case .photo(_, let photo): #expect("\(photo)".utf8.count <= 80 && !"\(photo)".contains("/"), sample)
        default: break
        }
      }
      _ = OperatorRoute(path: target.path)
      if let (camera, _) = OperatorSwitches.parse(path: target.path) { #expect(!camera.contains("/"), sample) }
      _ = ConfigurationRequest(path: target.path)?.camera
      for name in ["url", "maxwidth", "for", "seconds"] {
        #expect((Query.value(name, in: target.query) ?? "").utf8.count <= target.query.utf8.count, sample)
      }
    }
    #expect(routes > 300, "\(routes)")
  }

  @Test func aVisitorHasAnAddressWhateverProxiesSay() throws {
    let proxies = try #require(TrustedProxies("127.0.0.1 10.0.0.0/8"))
    let proxy = try #require(ClientAddress(named: "127.0.0.1"))
    let other = try #require(ClientAddress(named: "198.51.100.9"))
    var named = 0
    forEachText(of: [
      "203.0.113.7", "203.0.113.7, 10.0.0.1", "for=203.0.113.7;proto=https, for=10.0.0.1", "for=\"[2001:db8::7]:443\"",
      "unknown, _hidden", "for=unknown",
    ]) { text, sample in
      for name in [HTTPField.Name.forwarded, .xForwardedFor] {
        let fields: HTTPFields = [name: text]
        // Who is no proxy of ours can write what it likes.
        #expect(Visitor(fields, client: other, proxies: proxies).client == other, sample)
        let visitor = Visitor(fields, client: proxy, proxies: proxies)
        #expect(!visitor.address.isEmpty && (!visitor.isShared || visitor.client == proxy), sample)
        if visitor.client != proxy { named += 1 }
      }
    }
    #expect(named > 100, "\(named)")
  }

  @Test func secretsAreReadFromAllThatShowsThem() {
    forEachText(of: [
      "Bearer 0123456789abcdef", "Basic dXNlcjpzZWNyZXQtdG9rZW4=", "Basic dXNlcjpzZWNyZXQtdG9rZW4", "secret-token",
      "Basic",
    ]) { text, sample in
      let shown = Credentials.shown([.authorization: text, .xAPIKey: text], query: "a=b&token=\(text)"[...])
      #expect(shown.allSatisfy { $0.utf8.count <= max(3, 3 * text.utf8.count) }, sample)
      #expect(!Credentials.opens(shown, [TokenDigest(of: "another-token-than-any-of-these")]), sample)
    }
  }

  @Test func aProgramHasAFamilyOrNone() {
    forEachText(of: [
      "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "VLC/3.0.20 LibVLC/3.0.20",
      "curl/8.5.0",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1", "Cubot/1",
    ]) { text, sample in
      let family = BrowserFamily(userAgent: text)
      #expect(family == nil || !text.contains("curl/"), sample)
      #expect(BrowserFamily(userAgent: "spider " + text) == nil, sample)
    }
  }

  /// However the bytes of a head trickle in, it ends at the same place.
  @Test func aHeadEndsAtTheSamePlaceInPieces() {
    var ended = 0
    forEachText(of: ["GET / HTTP/1.1\r\nHost: a\r\n\r\nrest", "\r\n\nPUT /a HTTP/1.0\nA: b\n\n", "x\r\n\r\n"]) {
      text, sample in
      let bytes = ByteBuffer(string: text)
      var whole = RequestHeadScan()
      let end = whole.end(in: bytes)
      var pieces = RequestHeadScan()
      var first: Int?
      for count in 0...bytes.readableBytes where first == nil {
        first = bytes.getSlice(at: 0, length: count).flatMap { pieces.end(in: $0) }
      }
      #expect(first == end && whole.isUnusual == pieces.isUnusual, sample)
      if end != nil { ended += 1 }
    }
    #expect(ended > 100, "\(ended)")
  }
}
