import Access
import HTTPTypes
import NIOCore
import Testing

@testable import Station

@testable import Origin

@Suite struct CredentialsTests {
  private func opens(_ fields: HTTPFields, query: Substring = "") -> Bool {
    Credentials.opens(Credentials.shown(fields, query: query), [TokenDigest(of: "secret-token")])
  }

  @Test(arguments: [
    ("Bearer secret-token", true), ("bearer secret-token", true), ("Bearer  secret-token", true),
    ("secret-token", true), ("Basic Y2FtZXJhOnNlY3JldC10b2tlbg==", true), ("basic OnNlY3JldC10b2tlbg", true),
    ("Bearer secret-toke", false), ("Bearer secret-tokens", false), ("Bearer ", false), ("Bearer", false),
    ("Basic secret-token", false), ("Basic c2VjcmV0LXRva2Vu", false), ("Basic c2VjcmV0LXRva2VuOng=", false),
    ("", false),
    ("Bearer secret-token secret-token", false), ("Digest secret-token", false), ("Basic ====", false),
  ])
  func onlyTheTokenOpens(header: String, opens: Bool) {
    #expect(self.opens([.authorization: header]) == opens)
  }

  @Test func theTokenIsFoundInEveryPlaceThatCamerasHaveForIt() {
    #expect(opens([.apiKey: "secret-token"]))
    #expect(opens([.xAPIKey: "secret-token"]))
    #expect(opens([:], query: "token=secret-token"))
    #expect(opens([:], query: "a=b&token=secret%2Dtoken&c"))
    #expect(opens([.authorization: "Digest username=\"a\"", .xAPIKey: "secret-token"]))
    #expect(!opens([.apiKey: "secret"], query: "Token=secret-token&xtoken=secret-token&token"))
    #expect(!opens([:], query: "token=wrong&token=secret-token"))
    #expect(!opens([:], query: "token=%zz%2"))
  }

  @Test func nothingShownOpensNothing() {
    #expect(!opens([:]))
    #expect(!Credentials.opens([], [TokenDigest(of: "")]))
  }

  @Test func everySingleByteCounts() {
    let secret = Array("correct horse battery".utf8)
    let digest = TokenDigest(of: "correct horse battery")
    for index in secret.indices {
      var shown = secret
      shown[index] ^= 1
      #expect(!digest.matches(String(decoding: shown, as: UTF8.self)))
    }
  }

  @Test func eventsAreWrittenAsTheSpecificationSays() {
    let events = [CameraEvent(id: 7, .source(isRecorded: true)), CameraEvent(id: 8, .wave(count: 2))]
    #expect(
      String(buffer: EventStream.text(of: events))
        == "id: 7\nevent: source\ndata: {\"source\":\"recorded\"}\n\nid: 8\nevent: wave\ndata: {\"waves\":2}\n\n")
  }
}
