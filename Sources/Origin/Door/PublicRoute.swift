import HTTPTypes
import Media
import Station

/// What a request to the public address asks for. Everything else does not exist there.
enum PublicRoute: Hashable {
  /// The player page of the only camera, or the list of cameras.
  case home
  /// A camera's path without the slash at its end; relative addresses on its page need the slash.
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
  /// A visitor waves.
  case wave(CameraName)
  /// An element says how long its picture was visible.
  case seen(CameraName)
  /// What a page needs to know of a camera.
  case about(CameraName)
  /// The list of the photos that are kept.
  case photos(CameraName)
  /// One of them.
  case photo(CameraName, PhotoName)
  /// The script that other sites load.
  case element
  /// The pages' icon.
  case icon(String)
  /// How to embed a page.
  case embedding
  /// The sample of a page with a picture, and its path without the slash.
  case sample, sampleWithoutSlash
  /// A file that the pages need.
  case asset(String)
  /// Whether the process is alive.
  case health
  /// Whether all cameras have something to show.
  case readiness

  /// The camera of the route.
  var camera: CameraName? {
    switch self {
    case .home, .asset, .health, .readiness, .element, .icon, .embedding, .sample, .sampleWithoutSlash: nil
    case .withoutSlash(let name), .page(let name), .multivariant(let name), .media(let name), .plain(let name),
      .file(let name, _), .latest(let name), .events(let name), .wave(let name), .seen(let name), .about(let name),
      .photos(let name), .photo(let name, _):
      name
    }
  }

  /// What can be done there, besides asking what can be done.
  var methods: [HTTPRequest.Method] {
    switch self {
    case .wave, .seen: [.post]
    case .home, .withoutSlash, .page, .multivariant, .media, .plain, .file, .latest, .events, .about, .photos, .photo,
      .element, .icon, .embedding, .sample, .sampleWithoutSlash, .asset, .health, .readiness:
      [.get, .head]
    }
  }

  /// Whether it is answered from what a camera has published.
  var isOfStream: Bool {
    switch self {
    case .multivariant, .media, .plain, .file, .latest: true
    case .home, .withoutSlash, .page, .events, .wave, .seen, .asset, .health, .readiness, .about, .photos, .photo,
      .element,
      .icon, .embedding, .sample, .sampleWithoutSlash:
      false
    }
  }

  /// Reads the path of a request target, without its query; `nil` if there is no such route.
  init?(path: Substring) {
    switch path {
    case "/": self = .home
    case "/healthz": self = .health
    case "/readyz": self = .readiness
    case "/quietcam.js": self = .element
    case "/oembed": self = .embedding
    case "/sample": self = .sampleWithoutSlash
    case "/sample/": self = .sample
    default:
      guard path.first == "/" else { return nil }
      let pieces = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
      if pieces.count == 1, let camera = CameraName(pieces[0]) {
        self = .withoutSlash(camera)
        return
      }
      if pieces.count == 1, pieces[0].hasPrefix("favicon.") {
        self = .icon(String(pieces[0]))
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
      case "seen": self = .seen(camera)
      case "about.json": self = .about(camera)
      case "photos.json": self = .photos(camera)
      case let name where name.hasSuffix(".mp4"): self = .file(camera, String(name))
      case let name:
        guard let photo = PhotoName(name) else { return nil }
        self = .photo(camera, photo)
      }
    }
  }
}
