import HTTPTypes
import Hummingbird
import Media
import Packager
import Station

/// The operator's requests for a camera, below `/cameras/CAMERA/`.
struct OperatorSwitches {
  /// A request to one camera.
  enum Switch: Hashable {
    /// A command.
    case command(Camera.Command)
    /// The live pictures of the last time, as one MP4.
    case recent

    /// The last part of the path.
    var name: String {
      switch self {
      case .command(.withdraw): "withdraw"
      case .command(.order(let order)): order.rawValue
      case .command(.hours): "hours"
      case .recent: "recent"
      }
    }
  }

  /// Why a veil over a camera would be seen, as a word and a sentence; `nil` if it can be veiled.
  static func veilRefusal(_ camera: CameraSettings) -> (code: String, detail: String)? {
    let name = camera.name
    if camera.showsAtOnce {
      return (
        "showsAtOnce",
        "camera \(name) shows its stills at once and recorded pictures come with the parts, so a veil would be seen; "
          + "set at-once: false for it, or pause it"
      )
    }
    return camera.photoSize.map { size in
      (
        "showsPhotos",
        "camera \(name) shows pictures of up to \(size) in latest.jpg and recorded ones have the stream's size, so a "
          + "veil would be seen; set photo-size: stream for it, or pause it"
      )
    }
  }

  private let cameras: [CameraName: Camera]

  init(cameras: [CameraName: Camera]) { self.cameras = cameras }

  /// The camera's name and the request; `nil` if the path is none of these.
  static func parse(path: Substring) -> (camera: Substring, action: Switch)? {
    let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
    guard pieces.count == 4, pieces[0].isEmpty, pieces[1] == "cameras" else { return nil }
    if pieces[3] == "recent.mp4" { return (pieces[2], .recent) }
    if pieces[3] == "withdraw" { return (pieces[2], .command(.withdraw)) }
    return Director.Order(rawValue: String(pieces[3])).map { (pieces[2], .command(.order($0))) }
  }

  /// Answers a request whose token was checked.
  func answer(_ request: Request, camera name: Substring, _ action: Switch, query: Substring) async -> Response {
    guard let name = CameraName(name), let camera = cameras[name] else {
      return Reply.error(
        request, .notFound, "unknownCamera", "no camera \"\(name.prefix(40))\" is configured; /status lists them")
    }
    switch action {
    case .command(let command):
      guard request.method == .post else { return Reply.wrongMethod(request, allowed: [.post]) }
      if command == .order(.veil), let refusal = Self.veilRefusal(camera.settings) {
        return Reply.error(request, .conflict, refusal.code, refusal.detail)
      }
      guard await camera.carryOut(command) else {
        return Reply.error(
          request, .serviceUnavailable, "notReady", "the camera is ending or has too much to do; try again",
          fields: [.retryAfter: "1"])
      }
      if command == .order(.resume), let hours = camera.counters.hours, !hours.isShown {
        let until = hours.until.map { ",\"until\":\"\($0)\"" } ?? ""
        return Reply.json(request, .ok, "{\"camera\":\"\(name)\",\"done\":true,\"outsideHours\":true\(until)}")
      }
      return Reply.json(request, .ok, "{\"camera\":\"\(name)\",\"done\":true}")
    case .recent:
      guard request.method == .get || request.method == .head else {
        return Reply.wrongMethod(request, allowed: [.get, .head])
      }
      return recent(request, camera: camera, query: query)
    }
  }

  private func recent(_ request: Request, camera: Camera, query: Substring) -> Response {
    var span = camera.settings.remember
    for parameter in query.split(separator: "&") where parameter.hasPrefix("for=") {
      guard let seconds = Ticks(seconds: parameter.dropFirst(4)), seconds > .zero else {
        return Reply.error(request, .badRequest, "badSpan", "for is not a number of seconds; send for=600, or omit it")
      }
      span = seconds
    }
    guard let file = camera.recent.file(span: span, segment: camera.settings.timeline.segment) else {
      return Reply.error(
        request, .notFound, "nothingKept",
        "no live segment of the camera is kept; wait until one is complete, or raise remember in the settings")
    }
    var fields: HTTPFields = [.contentType: "video/mp4", .cacheControl: "no-store"]
    // The settings that the pictures depend on, for those who use them again.
    if let name = HTTPField.Name("Quietcam-Loop-Settings") { fields[name] = LoopSettings(camera.settings).json }
    return Reply.answer(request, status: .ok, fields: fields, body: file)
  }
}
