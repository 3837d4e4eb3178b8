import Media
import NIOCore
import Testing

@testable import Access

@Suite struct TokenTests {
  @Test func theDigestIsTheKnownOne() {
    // FIPS 180-4's example.
    let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(TokenDigest(of: "abc").description == text)
    #expect(TokenDigest(text) == TokenDigest(of: "abc"))
  }

  @Test func onlyTheTokenMatches() {
    let digest = TokenDigest(of: "secret-token")
    #expect(digest.matches("secret-token"))
    for wrong in ["", "secret-toke", "secret-tokens", "Secret-token", digest.description] {
      #expect(!digest.matches(wrong))
    }
  }

  @Test(arguments: ["sha256:", "sha256:00", "sha512:" + String(repeating: "0", count: 64), "sha256:" + "zz"])
  func whatIsNoDigestIsNotRead(text: String) { #expect(TokenDigest(text) == nil) }

  @Test func eachNewTokenIsAnother() {
    let tokens = (0..<100).map { _ in AccessToken().text }
    #expect(Set(tokens).count == 100)
    #expect(tokens.allSatisfy { $0.utf8.count == 32 && [UInt8](hex: $0)?.count == 16 })
  }
}

@Suite struct BodySignatureTests {
  private let camera = CameraName("desk")!
  private let now = WallTime(milliseconds: 1_790_000_000_500)
  private let token = TokenDigest(of: "secret-token")
  // From: printf '1790000000\ndesk\n%s' "$(printf still | sha256sum | cut -d' ' -f1)"
  //   | openssl dgst -sha256 -hmac "$(printf secret-token | sha256sum | cut -d' ' -f1)"
  private let right = "afb1ae927207a4854ca7628e36cc4e853a1b819804de109db9fec777be59b359"

  private func signature(_ text: String, time: String = "1790000000") throws(BodySignature.Refusal) -> BodySignature {
    try BodySignature(time: time, signature: text, camera: camera, digest: token, now: now)
  }

  @Test func whatOpensslSignsIsTaken() throws {
    var signature = try signature(right)
    signature.update(ByteBuffer(string: "st"))
    signature.update(ByteBuffer(string: "ill"))
    #expect(signature.isValid)
  }

  @Test func anotherBodyTimeCameraOrTokenIsNot() throws {
    var other = try signature(right)
    other.update(ByteBuffer(string: "stil"))
    #expect(!other.isValid)
    var later = try signature(right, time: "1790000001")
    later.update(ByteBuffer(string: "still"))
    #expect(!later.isValid)
    for (name, token) in [("desk2", "secret-token"), ("desk", "secret-tokem")] {
      var signature = try BodySignature(
        time: "1790000000", signature: right, camera: #require(CameraName(name)), digest: TokenDigest(of: token),
        now: now)
      signature.update(ByteBuffer(string: "still"))
      #expect(!signature.isValid)
    }
  }

  @Test(arguments: ["", "abc", "-1790000000", "1790000000.", "1789999939", "1790000061", "1.790e9", "99999999999999"])
  func aTimeThatIsNotNowIsRefused(time: String) {
    #expect(throws: BodySignature.Refusal.self) { try signature(right, time: time) }
  }

  @Test func aSignatureIsTakenOnce() throws {
    var replays = ReplayGuard()
    let first = try signature(right)
    #expect(replays.admit(first, now: 1_790_000_000) == true)
    #expect(replays.admit(first, now: 1_790_000_060) == false)
    #expect(try replays.admit(signature(String(right.reversed())), now: 1_790_000_000) == true)
    // What has ended cannot come again, for its time is over too.
    #expect(replays.admit(first, now: 1_790_000_080) == true)
  }

  @Test func aFullBookRefusesWhatItCouldNotRemember() throws {
    var replays = ReplayGuard(mostKnown: 1)
    #expect(try replays.admit(signature(right), now: 1_790_000_000) == true)
    #expect(try replays.admit(signature(String(right.reversed())), now: 1_790_000_000) == false)
  }
}

@Suite struct ViewerLinkTests {
  private let camera = CameraName("desk")!
  private let key = LinkKey(secret: "some-link-key-of-ours")

  @Test func aLinkIsReadAndGenuineForItsCameraAndKeyAlone() throws {
    let made = ViewerLink(camera: camera, expiry: 1_790_000_000, key: key)
    let link = try #require(ViewerLink(made.description))
    #expect(link == made && link.isGenuine(camera: camera, key: key))
    #expect(try !link.isGenuine(camera: #require(CameraName("roof")), key: key))
    #expect(!link.isGenuine(camera: camera, key: LinkKey(secret: "another-link-key")))
    let later = try #require(ViewerLink(made.description.replacing("1790000000", with: "1790000001")))
    #expect(!later.isGenuine(camera: camera, key: key))
  }

  @Test(arguments: [
    "", "~", "~1.", "~.00112233445566778899aabbccddeeff", "~01.00112233445566778899aabbccddeeff",
    "~1.00112233445566778899aabbccddeef", "~1.00112233445566778899AABBCCDDEEFF",
    "~1.2.00112233445566778899aabbccddeeff",
    "~-1.00112233445566778899aabbccddeeff", "1.00112233445566778899aabbccddeeff",
  ])
  func whatIsNoLinkIsNotRead(text: String) { #expect(ViewerLink(text) == nil) }

  @Test func linksThatAreMadeWithinAnHourAreTheSame() {
    #expect(ViewerLink.expiry(after: 86_400, from: 1_789_999_201) == 1_789_999_200 + 90_000)
    #expect(ViewerLink.expiry(after: 86_400, from: 1_790_002_799) == 1_789_999_200 + 90_000)
    #expect(ViewerLink.expiry(after: 90, from: 1_790_000_040) == 1_790_000_160)
  }
}
