import Foundation
import Media
import TestSupport
import Testing

@testable import Access

@Suite struct AddedTokenTests {
  private let desk = AddedToken.Scope.camera(CameraName("desk")!)

  @Test func aTokenOpensWhatItWasMadeForAndIsNotInTheFile() throws {
    try withFolder { folder in
      let path = folder + "/tokens.txt"
      let tokens = try AddedTokens(path: path)
      let (token, kept) = try tokens.make(desk, note: " Attic \n camera\u{202E} ", time: 1_790_000_000)
      #expect(kept.note == "Attic camera")
      #expect(tokens.shown([token.text], for: desk) == kept)
      #expect(tokens.shown([token.text], for: .operator) == nil && tokens.shown(["x"], for: desk) == nil)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(!text.contains(token.text) && text.contains("\(token.digest)"))
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      // The next process knows it.
      let again = try AddedTokens(path: path)
      #expect(again.all == [kept] && again.digests(desk) == [token.digest])
    }
  }

  @Test func aRevokedTokenOpensNothingAlsoAfterARestart() throws {
    try withFolder { folder in
      let path = folder + "/tokens.txt"
      let tokens = try AddedTokens(path: path)
      let (first, kept) = try tokens.make(desk, note: "", time: 1)
      let (second, _) = try tokens.make(.operator, note: "wall", time: 2)
      #expect(try tokens.revoke(id: kept.id) == kept)
      #expect(try tokens.revoke(id: kept.id) == nil)
      for tokens in [tokens, try AddedTokens(path: path)] {
        #expect(tokens.shown([first.text], for: desk) == nil)
        #expect(tokens.shown([second.text], for: .operator)?.note == "wall")
      }
    }
  }

  @Test func aTokenThatCannotBeWrittenIsNotValid() throws {
    let tokens = try AddedTokens(path: "/nowhere/at/all/tokens.txt")
    #expect(throws: AddedTokenError.self) { try tokens.make(desk, note: "", time: 1) }
    #expect(tokens.all.isEmpty)
  }

  @Test func aMistakeInTheFileIsNamedWithItsLine() throws {
    try withFolder { folder in
      let path = folder + "/tokens.txt"
      try "# head\n\nwrong\n".write(toFile: path, atomically: true, encoding: .utf8)
      do {
        _ = try AddedTokens(path: path)
        Issue.record("the file was read")
      } catch {
        #expect("\(error)".contains("\(path):3:"))
      }
    }
  }

  @Test func thereIsAnEndToTheirNumber() throws {
    let tokens = try AddedTokens(path: nil)
    for _ in 0..<AddedTokens.most { _ = try tokens.make(desk, note: "", time: 1) }
    #expect(throws: AddedTokenError.self) { try tokens.make(desk, note: "", time: 1) }
    #expect(tokens.all.count == AddedTokens.most)
  }

  @Test func eachLineIsReadAsItWasWritten() {
    for note in ["", "a b  c", "sha256:x", "Ünïcode"] {
      for scope in [desk, .operator] {
        let token = AddedToken(id: "0a1b2c3d", scope: scope, made: 5, digest: TokenDigest(of: "x"), note: note)
        #expect(AddedToken(line: token.line[...]) == token)
      }
    }
    for line in ["", "a", "a camera:UP 5 sha256:00", "a operator x \(TokenDigest(of: "x"))"] {
      #expect(AddedToken(line: line[...]) == nil)
    }
  }
}
