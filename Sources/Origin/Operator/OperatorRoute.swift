import HTTPTypes
import Media

/// What a request to the private address asks of the operator's page.
enum OperatorRoute: Hashable {
  /// The page.
  case page
  /// A file that the page loads.
  case asset(String)
  /// Signing in and out.
  case session
  /// What the page shows of this moment.
  case overview
  /// The sums of hours, days or months.
  case history
  /// What was done.
  case actions
  /// The tokens that were made, and one of them.
  case tokens, token(String)
  /// A link to a signed camera.
  case links
  /// The newest picture of a camera.
  case latest(Substring)
  /// The events of a camera.
  case events(Substring)

  /// Reads a path; `nil` if it is none of these.
  init?(path: Substring) {
    switch path {
    case "/": self = .page
    case "/session": self = .session
    case "/overview": self = .overview
    case "/history": self = .history
    case "/actions": self = .actions
    case "/tokens": self = .tokens
    case "/links": self = .links
    default:
      let pieces = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
      switch (pieces.first, pieces.count) {
      case ("_", 2): self = .asset(String(pieces[2]))
      case ("tokens", 2): self = .token(String(pieces[2]))
      case ("cameras", 3) where pieces[3] == "latest.jpg": self = .latest(pieces[2])
      case ("cameras", 3) where pieces[3] == "events": self = .events(pieces[2])
      default: return nil
      }
    }
  }

  /// What can be done there, besides asking what can be done.
  var methods: [HTTPRequest.Method] {
    switch self {
    case .page, .asset, .overview, .history, .actions, .latest, .events: [.get, .head]
    case .session: [.get, .head, .post, .delete]
    case .tokens: [.get, .head, .post]
    case .token: [.delete]
    case .links: [.post]
    }
  }

  /// Whether everyone who reaches the address gets it: nothing of the cameras is in it.
  var isOpen: Bool {
    switch self {
    case .page, .asset: true
    default: false
    }
  }
}
