import Media

/// What a request to the public door asks for. Whatever is not one of these does not exist there.
enum PublicRoute: Hashable {
  /// The player page of the only camera, or the list of cameras.
  case home
  /// A camera's path without the slash at its end, which relative addresses on its page need.
  case withoutSlash(CameraName)
  /// A camera's player page.
  case page(CameraName)
  /// A camera's multivariant playlist.
  case multivariant(CameraName)
  /// A camera's media playlist with parts.
  case media(CameraName)
  /// A camera's media playlist without parts.
  case plain(CameraName)
  /// An init segment, segment or part.
  case file(CameraName, String)
  /// The newest picture as a JPEG.
  case latest(CameraName)
  /// Server-sent events.
  case events(CameraName)
  /// A visitor says hi.
  case wave(CameraName)
  /// A file that the pages need.
  case asset(String)
  /// Whether the process lives.
  case health
  /// Whether all cameras have something to show.
  case readiness

  /// The camera that it belongs to.
  var camera: CameraName? {
    switch self {
    case .home, .asset, .health, .readiness: nil
    case .withoutSlash(let name), .page(let name), .multivariant(let name), .media(let name), .plain(let name),
      .file(let name, _), .latest(let name), .events(let name), .wave(let name):
      name
    }
  }

  /// Whether it is answered from what a camera has published.
  var isOfStream: Bool {
    switch self {
    case .multivariant, .media, .plain, .file, .latest: true
    case .home, .withoutSlash, .page, .events, .wave, .asset, .health, .readiness: false
    }
  }

  /// Reads the path of a request target, without its query; `nil` where nothing of ours can be.
  init?(path: Substring) {
    switch path {
    case "/": self = .home
    case "/healthz": self = .health
    case "/readyz": self = .readiness
    default:
      guard path.first == "/" else { return nil }
      let pieces = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      if pieces.count == 1, let camera = CameraName(pieces[0]) {
        self = .withoutSlash(camera)
        return
      }
      guard pieces.count == 2 else { return nil }
      if pieces[0] == "_" {
        self = .asset(String(pieces[1]))
        return
      }
      guard let camera = CameraName(pieces[0]) else { return nil }
      switch pieces[1] {
      case "": self = .page(camera)
      case "index.m3u8": self = .multivariant(camera)
      case "live.m3u8": self = .media(camera)
      case "plain.m3u8": self = .plain(camera)
      case "latest.jpg": self = .latest(camera)
      case "events": self = .events(camera)
      case "wave": self = .wave(camera)
      case let name where name.hasSuffix(".mp4"): self = .file(camera, String(name))
      default: return nil
      }
    }
  }
}

/// A request target in its two halves.
struct RequestTarget {
  /// The path, as sent.
  let path: Substring
  /// The query behind the question mark, as sent; empty where there is none.
  let query: Substring

  init(_ target: String) {
    let mark = target.firstIndex(of: "?") ?? target.endIndex
    path = target[..<mark]
    query = mark == target.endIndex ? "" : target[target.index(after: mark)...]
  }
}
