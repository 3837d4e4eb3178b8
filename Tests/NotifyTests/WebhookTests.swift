import Media
import Testing

@testable import Notify

@Suite struct WebhookTests {
  /// The example of the specification of Standard Webhooks, computed again with Python's hmac.
  @Test func signaturesAreThoseOfStandardWebhooks() {
    let time = WallTime(milliseconds: 1_614_265_330_000)
    let body = Array(#"{"test": 2432232314}"#.utf8)
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    let fields = WebhookSignature(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").fields(
      id: id, time: time, body: body)
    #expect(fields.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
    #expect(fields.map(\.value) == [id, "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="])
    let plain = WebhookSignature(secret: "0123456789abcdef").fields(id: id, time: time, body: body)
    #expect(plain[2].value == "v1,r94XOxQw8v+vLaVrXIUkFWnEmqNekP5mdIZf2e/Me5o=")
  }

  @Test func addressesAreReadAndNamedWithoutTheirSecrets() {
    for (text, name) in [
      ("https://hooks.example.org/services/T0/B0/secret", "https://hooks.example.org"),
      ("http://homeassistant.local:8123/api/webhook/abc?x=1", "http://homeassistant.local:8123"),
      ("http://[::1]:80", "http://[::1]:80"), ("https://EXAMPLE.org?key=secret", "https://example.org"),
    ] {
      #expect(WebhookAddress(text)?.name == name && WebhookAddress(text)?.url == text)
    }
    for text in [
      "", "example.org", "ftp://a/", "http://", "http:///a", "http://a b/", "http://user@a/", "http://user:word@a/",
      "http://a:0/", "http://a:65536/", "http://a:/", "http://[::1", "http://[::1]x/", "http://a/#b", "http://\u{E4}/",
      "http://a/" + String(repeating: "a", count: 2000),
    ] {
      #expect(WebhookAddress(text) == nil, "\(text)")
    }
  }

  @Test func answersSayWhetherAnotherTryMayGoBetter() {
    for status in [200, 204, 299] { #expect(WebhookSender.result(status, retryAfter: nil).outcome == .taken) }
    for status in [400, 405, 410, 413, 415, 422] {
      #expect(WebhookSender.result(status, retryAfter: nil).outcome == .refused)
    }
    for status in [301, 307, 401, 403, 404, 408, 429, 500, 502, 503] {
      #expect(WebhookSender.result(status, retryAfter: nil).outcome == .failed(after: nil))
    }
    #expect(WebhookSender.result(429, retryAfter: "120").outcome == .failed(after: .seconds(120)))
    #expect(WebhookSender.result(503, retryAfter: "Wed, 21 Oct 2026 07:28:00 GMT").outcome == .failed(after: nil))
    #expect(WebhookSender.result(307, retryAfter: nil).words.contains("write that one into notify"))
  }
}
