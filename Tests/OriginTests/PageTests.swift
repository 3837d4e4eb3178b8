import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station
import Testing

@testable import Origin

private let proxy = ClientAddress(named: "10.0.0.1")!
private let proxies = TrustedProxies("10.0.0.0/24")!
private let stranger = ClientAddress(named: "203.0.113.9")!

private func request(_ fields: HTTPFields = [:], host: String? = "cam.example", method: HTTPRequest.Method = .get)
  -> Request
{
  Request(
    head: HTTPRequest(method: method, scheme: "http", authority: host, path: "/", headerFields: fields),
    body: RequestBody(buffer: ByteBuffer()))
}

private func site(_ change: (inout SitePolicy) -> Void = { _ in }) -> SitePolicy {
  var site = SitePolicy()
  change(&site)
  return site
}

@Suite struct OutsideAddressTests {
  private func address(
    _ fields: HTTPFields = [:], host: String? = "cam.example", client: ClientAddress = proxy, isSecure: Bool = false,
    site: SitePolicy = SitePolicy()
  ) -> String? {
    OutsideAddress.of(request(fields, host: host), client: client, isSecure: isSecure, site: site)
  }

  @Test func itIsTheHostsWhereNothingElseIsSaid() {
    #expect(address() == "http://cam.example/")
    #expect(address(isSecure: true) == "https://cam.example/")
    #expect(address(host: "Cam.Example:8080") == "http://cam.example:8080/")
    #expect(address(host: "[2001:db8::1]:80") == "http://[2001:db8::1]:80/")
    #expect(address(host: nil) == nil)
    for host in ["a b", "a/b", "\"", "a<b", "ä", "", String(repeating: "a", count: 300)] {
      #expect(address(host: host) == nil, "\(host)")
    }
  }

  @Test func aNearProxySaysSchemeAndFolder() {
    #expect(address([.xForwardedProto: "HTTPS"]) == "https://cam.example/")
    #expect(address([.forwarded: "proto=http, for=1.2.3.4;proto=https"]) == "https://cam.example/")
    #expect(address([.xForwardedPrefix: "/a/b"]) == "http://cam.example/a/b/")
    #expect(address([.xForwardedPrefix: "/a/"]) == "http://cam.example/a/")
    #expect(address([.xForwardedProto: "https", .xForwardedPrefix: "/a"], client: stranger) == "http://cam.example/")
    for prefix in ["a", "//evil.example", "/a//b", "/../b", "/./b", "/a b", "/a?b", "/\"", "/%2e"] {
      #expect(address([.xForwardedPrefix: prefix]) == "http://cam.example/", "\(prefix)")
    }
    for proto in ["ftp", "https,http", "javascript:", ""] {
      #expect(address([.xForwardedProto: proto]) == "http://cam.example/", "\(proto)")
    }
  }

  @Test func whatIsConfiguredHolds() {
    let configured = site { $0.baseURL = "https://example.org/cam/" }
    #expect(address([.xForwardedPrefix: "/a"], host: nil, site: configured) == "https://example.org/cam/")
  }
}

@Suite struct VisitorTests {
  @Test func aStrangerIsWhoTheConnectionSays() {
    let visitor = Visitor([.xForwardedFor: "192.0.2.1"], client: stranger, proxies: proxies)
    #expect(visitor.address == "203.0.113.9" && !visitor.isShared)
    // Neither is a neighbour in a private network that nobody has named.
    let neighbour = Visitor([.xForwardedFor: "192.0.2.1"], client: ClientAddress(named: "10.0.1.1")!, proxies: proxies)
    #expect(neighbour.address == "10.0.1.1" && neighbour.isShared)
  }

  @Test func aProxySaysWhoItTalksTo() {
    let behind: [HTTPFields] = [
      [.xForwardedFor: "192.0.2.1"], [.xForwardedFor: "198.51.100.1, 192.0.2.1 "], [.forwarded: "for=192.0.2.1"],
      [.forwarded: "for=198.51.100.1, For=\"192.0.2.1:80\";proto=https"],
      // What a visitor writes into the header that the proxy does not write.
      [.forwarded: "for=198.51.100.2", .xForwardedFor: "192.0.2.1"],
      // Proxies in a row, all of them named.
      [.xForwardedFor: "198.51.100.1, 192.0.2.1, 10.0.0.7"], [.forwarded: "for=192.0.2.1, for=10.0.0.9"],
    ]
    for fields in behind {
      let visitor = Visitor(fields, client: proxy, proxies: proxies)
      #expect(visitor.address == "192.0.2.1" && !visitor.isShared, "\(fields)")
    }
    let silent: [HTTPFields] = [[:], [.xForwardedFor: "unknown"], [.xForwardedFor: ""], [.forwarded: "for=_secret"]]
    for fields in silent {
      let visitor = Visitor(fields, client: proxy, proxies: proxies)
      #expect(visitor.address == "10.0.0.1" && visitor.isShared, "\(fields)")
    }
  }

  @Test func linesOfTheSameHeaderAreOneList() {
    var fields = HTTPFields()
    fields.append(HTTPField(name: .xForwardedFor, value: "198.51.100.1"))
    fields.append(HTTPField(name: .xForwardedFor, value: "192.0.2.1"))
    #expect(Visitor(fields, client: proxy, proxies: proxies).address == "192.0.2.1")
  }
}

@Suite struct WavePolicyTests {
  private func allows(_ fields: HTTPFields, _ site: SitePolicy) -> Bool {
    WavePolicy.allows(request(fields, method: .post), site: site)
  }

  @Test func everySiteMayWaveThatMayLoadTheStream() {
    for origin in ["https://a.example", "null", "https://cam.example"] {
      #expect(allows([.origin: origin], SitePolicy()))
    }
    let friend = site { $0.allowedOrigin = "https://a.example" }
    #expect(allows([.origin: "https://a.example"], friend))
    #expect(!allows([.origin: "https://b.example"], friend))
  }

  @Test func theSiteItselfMayAlways() {
    let closed = site { $0.allowedOrigin = nil }
    #expect(allows([:], closed) && allows([.origin: "https://cam.example"], closed))
    #expect(allows([.origin: "https://x.example", .secFetchSite: "same-origin"], closed))
    for origin in ["null", "https://a.example", "https://cam.example.a.example", "cam.example", ""] {
      #expect(!allows([.origin: origin, .secFetchSite: "cross-site"], closed), "\(origin)")
    }
    let counted = site { ($0.allowedOrigin, $0.baseURL) = (nil, "https://quiet.example/cam/") }
    #expect(allows([.origin: "https://quiet.example"], counted) && !allows([.origin: "https://quiet.exam"], counted))
  }
}

@Suite struct OEmbedTests {
  private let size = PictureSize(width: 640, height: 480)

  @Test func aFrameKeepsTheShapeWithinItsLimits() {
    func fitted(_ width: Int?, _ height: Int?) -> PictureSize {
      OEmbed.fitted(size, maxWidth: width, maxHeight: height)
    }
    #expect(fitted(nil, nil) == size && fitted(1000, 1000) == size)
    #expect(fitted(320, nil) == PictureSize(width: 320, height: 240))
    #expect(fitted(nil, 48) == PictureSize(width: 64, height: 48))
    #expect(fitted(320, 48) == PictureSize(width: 64, height: 48))
    #expect(fitted(1, 1) == PictureSize(width: 1, height: 1))
  }

  @Test func aTitleCannotEndTheFrame() {
    let embedding = OEmbed(
      title: "\"><script>{{head}}", provider: ("A \"site\"", "https://a.example/"), page: "https://a.example/desk/",
      thumbnail: ("https://a.example/desk/latest.jpg?t=0", size), size: size)
    let json = embedding.json(maxWidth: nil, maxHeight: nil)
    #expect(!json.contains("<script>{{head}}</iframe>") && json.contains("&quot;&gt;&lt;script&gt;&#123;&#123;head"))
    #expect(json.contains("\"thumbnail_width\":640"))
    #expect(!embedding.json(maxWidth: 320, maxHeight: nil).contains("thumbnail"), "it is larger than asked for")
  }
}

@Suite struct QueryTests {
  @Test(arguments: [
    ("url=a%20b", "a b"), ("x=1&url=a+b", "a b"), ("url=%C3%A4", "ä"), ("url=", ""), ("url", ""), ("url=1&url=2", "1"),
    ("url=a=b", "a=b"),
  ])
  func values(query: String, value: String) { #expect(Query.value("url", in: query[...]) == value) }

  @Test(arguments: ["", "x=1", "url=%", "url=%2", "url=%zz", "url=%+1", "url=%ff", "urls=1", "&&"])
  func noValues(query: String) { #expect(Query.value("url", in: query[...]) == nil) }

  @Test func escapedTextsAreReadAgain() {
    for text in ["https://a.example/desk/?x=1&y=ä#z", "a b+c%", "~-._", ""] {
      #expect(Query.value("v", in: "v=\(text.queryEscaped)"[...]) == text)
      #expect(text.queryEscaped.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "&") })
    }
  }

  @Test func kindsOfEvents() {
    #expect(EventStream.kinds("only=wave") == [.wave])
    #expect(EventStream.kinds("only=wave,source") == [.wave, .source])
    #expect(EventStream.kinds("") == nil && EventStream.kinds("only=nothing") == nil)
  }
}
