import Media
import NIOCore
import TestSupport
import Testing

@testable import Camera

/// What cameras and servers answer: `AnswerReaderTests` and `make fuzz` hold the answer itself, and here are its fields and
/// its words.
@Suite struct ForeignAnswerTests {
  private static let challenges = [
    "Basic realm=\"cam\"",
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, nonce=\"7ypf/xlj9X\", opaque=\"FQ\"",
    "Digest realm=cam,nonce=abc, Basic realm=\"a \\\" b\"", "Negotiate, NTLM",
    "Digest nonce=\"x\", qop=auth-int, userhash=true",
  ]

  private static let damage = Mutation(
    tokens: [
      "\"", "\\", ",", "=", " ", "\t", "\0", "é", "Digest", "Basic", "realm=", "nonce=", "qop=\"auth\"",
      "algorithm=MD5-sess",
      "algorithm=", "userhash=true", "\"\"", "==",
    ].map { Array($0.utf8) }, front: 60)

  @Test func aChallengeIsAnsweredOrPassedOver() {
    var answered = 0
    for number in DamagedSamples.numbers(2000) {
      var random = SeededGenerator(seed: UInt64(number))
      let seed = Array(Self.challenges[number % Self.challenges.count].utf8)
      let other = Array((Self.challenges.randomElement(using: &random) ?? "").utf8)
      let bytes = Self.damage.applied(to: seed, mixing: other, most: 3, using: &random)
      let text = String(decoding: bytes, as: UTF8.self)
      let sample: Comment = "sample \(number): \(text.debugDescription)"
      let challenges = HTTPChallenge.all(in: [text])
      for challenge in challenges {
        #expect(!challenge.scheme.isEmpty && challenge.scheme == challenge.scheme.lowercased(), sample)
        #expect(challenge.parameters.keys.allSatisfy { !$0.isEmpty && $0 == $0.lowercased() }, sample)
      }
      var login = HTTPLogin(user: "me", password: "secret-word", makeNonce: { "n" })
      guard login.receive(challenges), let answer = login.authorization(method: "GET", target: "/a") else { continue }
      answered += 1
      #expect(answer.hasPrefix("Basic ") || answer.hasPrefix("Digest "), sample)
      // What a stranger wrote must not end the line of the request that it is sent back in.
      #expect(answer.unicodeScalars.allSatisfy { $0 != "\r" && $0 != "\n" && $0 != "\0" }, sample)
      // A password is only sent as it is where nothing better was offered.
      #expect(!answer.hasPrefix("Basic ") || challenges.contains { $0.scheme == "basic" }, sample)
    }
    #expect(answered > 300, "\(answered)")
  }

  @Test func anAnswerToAStillIsOneLineAtMost() {
    let seeds = [
      #"{"error":"tooFast","detail":"camera desk sends more than 5 stills a second","interval_ms":2000}"#,
      #"{"ok":true,"interval_ms":500}"#, "<html><body>502 Bad Gateway</body></html>", "no such camera\r\nsecond line",
    ].map { Array($0.utf8) }
    var advised = 0
    for number in DamagedSamples.numbers(2000) {
      var random = SeededGenerator(seed: UInt64(number))
      let seed = seeds[number % seeds.count]
      let other = seeds.randomElement(using: &random) ?? []
      let bytes =
        Bool.random(using: &random)
        ? Mutation.json.applied(to: seed, mixing: other, most: 3, using: &random)
        : Mutation.changingNumbers(in: seed, most: 2, using: &random)
      let status = [200, 202, 204, 301, 400, 401, 404, 413, 429, 500, 503, 999].randomElement(using: &random) ?? 200
      let after = ["1", "-1", "1000001", "9223372036854775808", "Wed, 21 Oct 2026 07:28:00 GMT", " 7 "]
      let answer = PushAnswer(
        status: status, retryAfter: after.randomElement(using: &random), body: ByteBuffer(bytes: bytes))
      switch answer {
      case .taken(let interval):
        guard let interval else { continue }
        advised += 1
        #expect((1...86_400_000).contains(interval.milliseconds), "sample \(number)")
      case .retry(let words, let after):
        #expect((after ?? .zero) >= .zero && (after ?? .zero) <= .seconds(1_000_000), "sample \(number)")
        hold(words, number)
      case .refused(let words), .denied(let words): hold(words, number)
      }
    }
    #expect(advised > 20, "\(advised)")
  }

  private func hold(_ words: String, _ number: Int) {
    #expect(!words.isEmpty && words.unicodeScalars.count < 300, "sample \(number): \(words)")
    #expect(words.unicodeScalars.allSatisfy { $0.value >= 32 && !(127..<160).contains($0.value) }, "sample \(number)")
  }
}
