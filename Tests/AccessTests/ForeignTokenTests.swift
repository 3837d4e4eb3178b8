import Foundation
import Media
import NIOCore
import TestSupport
import Testing

@testable import Access

/// Texts that strangers send, and files that can be damaged or changed by hand: each is read as what it says, or refused.
@Suite struct ForeignTokenTests {
  private static let damage = Mutation(
    tokens: [
      " ", "\n", ":", "sha256:", "camera:", "operator", "~", ".", "/", "::", "[", "]", ",", ";", "=", "\0", "é",
      "\u{202E}",
      "00", "ff", "FF", "255", "256", "/33", "/129", "unknown", "_hidden", "\"",
    ].map { Array($0.utf8) }, front: 40)

  /// Calls with a few of these texts as they are, and with damaged ones.
  private func forEachText(of seeds: [String], _ usual: Int = 600, _ body: (String, _ sample: Comment) throws -> Void)
    rethrows
  {
    for (number, text) in Self.damage.texts(of: seeds, usual) {
      try body(text, "sample \(number): \(text.debugDescription)")
    }
  }

  @Test func aLinkHasOneSpelling() throws {
    let desk = try #require(CameraName("desk"))
    let key = LinkKey(secret: "some-link-key-of-ours")
    let link = ViewerLink(camera: desk, expiry: 1_790_000_100, key: key)
    var read = 0
    forEachText(of: ["\(link)", "~1.00112233445566778899aabbccddeeff"]) { text, sample in
      guard let other = ViewerLink(text) else { return }
      read += 1
      #expect(other.description == text && other.expiry > 0, sample)
      #expect(other.isGenuine(camera: desk, key: key) == (other == link), sample)
    }
    #expect(read > 5, "\(read)")
  }

  @Test func aFileOfTokensIsReadOrRefusedWithItsLine() throws {
    let digest = TokenDigest(of: "secret-token")
    let file = "# Tokens\n1122aabb camera:desk 1790000000 \(digest) attic\n99887766 operator 1 \(digest) \n"
    var (read, refused) = (0, 0)
    forEachText(of: [file]) { text, sample in
      do throws(AddedTokenError) {
        for token in try AddedTokenFile.tokens(of: text, path: "t") {
          read += 1
          #expect(AddedToken(line: token.line[...]) == token, sample)
          // As the operator's page shows it.
          #expect(WallTime(milliseconds: token.made * 1000).iso8601.utf8.count == 24, sample)
        }
      } catch {
        refused += 1
        #expect(error.description.hasPrefix("t:"), sample)
      }
    }
    #expect(read > 20 && refused > 100, "\(read), \(refused)")
  }

  @Test func anAddressIsReadOrRefused() {
    let seeds = [
      "192.0.2.7", "192.0.2.7:8080", "2001:db8::7", "[2001:db8::7]:443", "::ffff:192.0.2.9", "unknown", "_hidden",
      "fe80::1%eth0",
    ]
    var read = 0
    forEachText(of: seeds) { text, sample in
      guard let address = ClientAddress(named: text) else { return }
      read += 1
      #expect(address.bytes.count == 16 && !address.key.isEmpty && address.key.utf8.count <= 22, sample)
    }
    #expect(read > 20, "\(read)")
  }

  @Test func networksAreReadOrRefused() {
    let seeds = ["127.0.0.1 10.0.0.0/8 2001:db8::/32", "0.0.0.0/0", "::/0,::1", "192.0.2.6/31"]
    var read = 0
    forEachText(of: seeds) { text, sample in
      guard let proxies = TrustedProxies(text) else { return }
      read += 1
      #expect(TrustedProxies(proxies.text) == proxies, sample)
      for name in ["192.0.2.7", "2001:db8::7", "127.0.0.1"] {
        if let address = ClientAddress(named: name) { _ = proxies.contains(address) }
      }
    }
    #expect(read > 20, "\(read)")
  }

  @Test func aSignatureIsReadOrRefusedWithAdvice() throws {
    let desk = try #require(CameraName("desk"))
    let digest = TokenDigest(of: "secret-token")
    let now = WallTime(milliseconds: 1_790_000_000_500)
    var read = 0
    forEachText(of: ["1790000000", "1790000000.25", "1790000059.999999999"]) { time, sample in
      let hex = String(repeating: "0f", count: 32)
      do throws(BodySignature.Refusal) {
        var signature = try BodySignature(time: time, signature: hex, camera: desk, digest: digest, now: now)
        read += 1
        signature.update(ByteBuffer(string: "still"))
        #expect(!signature.isValid && abs(signature.time - 1_790_000_000) <= BodySignature.window, sample)
        #expect(signature.moment / 1_000_000_000 == signature.time, sample)
        var guardian = ReplayGuard()
        let isNew = [guardian.admit(signature, now: 1_790_000_000), guardian.admit(signature, now: 1_790_000_000)]
        #expect(isNew == [true, false], sample)
      } catch {
        #expect(!error.detail.isEmpty && !error.isWrong, sample)
      }
    }
    #expect(read > 5, "\(read)")
  }

  @Test func aCookieIsFoundOrNot() {
    let id = String(repeating: "a1", count: 16)
    let cookie = SessionCookie(port: 8081, isSecure: true)
    var found = 0
    forEachText(of: ["x=1; \(cookie.name)=\(id)", "\(cookie.name)=\(id); \(cookie.name)=b", "quietcam-8081=\(id)"]) {
      text, sample in
      guard let text = cookie.id(in: text) else { return }
      found += 1
      #expect(text.utf8.count == 32 && !text.contains(";"), sample)
    }
    #expect(found > 20, "\(found)")
  }

  @Test func theFilesOfSecretsAreReadOrRefused() throws {
    try withFolder { folder in
      let file = OperatorTokenFile(store: folder)
      var read = 0
      try forEachText(of: ["0123456789abcdef0123456789abcdef\n", "\(TokenDigest(of: "x"))\n"], 150) { text, sample in
        try Data(text.utf8).write(to: URL(fileURLWithPath: file.path))
        do throws(OperatorTokenFile.Problem) {
          let token = try file.read()
          read += 1
          #expect(token.map { (8...256).contains($0.utf8.count) } == true, sample)
        } catch {
          #expect(!error.isOfWriting && error.description.contains(file.path), sample)
        }
      }
      #expect(read > 20, "\(read)")
    }
  }
}
