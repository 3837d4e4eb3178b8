import Access
import Foundation
import Media
import Records

/// The tokens of `GET /tokens`, without the tokens themselves.
struct TokenList {
  let json: String

  init(_ tokens: [AddedToken]) { json = "{\"tokens\":[\(tokens.map(Self.json).joined(separator: ","))]}" }

  static func json(of token: AddedToken) -> String {
    "{\"id\":\(token.id.jsonQuoted),\"for\":\"\(token.scope)\","
      + "\"made\":\"\(WallTime(milliseconds: token.made * 1000).iso8601)\",\"note\":\(token.note.jsonQuoted)}"
  }
}

/// What was done, of `GET /actions`, newest first.
struct ActionList {
  let json: String

  init(_ actions: [OperatorAction]) {
    let items = actions.map { action in
      "{\"time\":\"\(action.time.iso8601)\",\"camera\":\(action.camera.map { $0.jsonQuoted } ?? "null"),"
        + "\"what\":\(action.what.jsonQuoted),\"how\":\"\(action.way.rawValue)\",\"outcome\":\(action.outcome.jsonQuoted)}"
    }
    json = "{\"actions\":[\(items.joined(separator: ","))]}"
  }
}
