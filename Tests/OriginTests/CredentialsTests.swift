import HTTPTypes
import NIOCore
@testable import Station
import Testing

@testable import Origin

@Suite struct CredentialsTests {
  @Test(arguments: [
    ("Bearer secret-token", true), ("bearer secret-token", true), ("Bearer  secret-token", true),
    ("Bearer secret-toke", false),
    ("Bearer secret-tokens", false), ("Bearer ", false), ("Bearer", false), ("Basic secret-token", false),
    ("secret-token", false), ("", false), ("Bearer secret-token secret-token", false),
  ])
  func onlyTheTokenOpens(header: String, opens: Bool) {
    #expect(Credentials.bearer([.authorization: header], matches: "secret-token") == opens)
  }

  @Test func nothingShownOpensNothing() {
    #expect(!Credentials.bearer([:], matches: "secret-token"))
    #expect(!Credentials.areEqual("".utf8, "secret".utf8))
    #expect(!Credentials.areEqual("a".utf8, "".utf8))
    #expect(!Credentials.areEqual("secretsecret".utf8, "secret".utf8))
  }

  @Test func everySingleByteCounts() {
    let secret = Array("correct horse battery".utf8)
    for index in secret.indices {
      var shown = secret
      shown[index] ^= 1
      #expect(!Credentials.areEqual(shown, secret))
    }
    #expect(Credentials.areEqual(secret, secret))
  }

  @Test func eventsAreWrittenAsTheSpecificationSays() {
    let events = [
      CameraEvent(id: 7, kind: .still, json: "{\"bytes\":1}"), CameraEvent(id: 8, kind: .wave, json: "{\"waves\":2}"),
    ]
    #expect(
      String(buffer: EventStream.text(of: events))
        == "id: 7\nevent: still\ndata: {\"bytes\":1}\n\nid: 8\nevent: wave\ndata: {\"waves\":2}\n\n")
  }
}
