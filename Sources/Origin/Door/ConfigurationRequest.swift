import HTTPTypes
import Hummingbird
import Media
import NIOCore

/// A request at the private address that reads or changes the configuration: `/reload` and `/cameras/CAMERA`.
enum ConfigurationRequest: Hashable {
  case reload
  /// The text after `/cameras/`, which may be no camera's name.
  case camera(Substring)

  /// The most bytes of the settings of one camera.
  static let mostBytes = 65_536

  /// `nil` if the path is none of these.
  init?(path: Substring) {
    if path == "/reload" {
      self = .reload
      return
    }
    let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
    guard pieces.count == 3, pieces[0].isEmpty, pieces[1] == "cameras", !pieces[2].isEmpty else { return nil }
    self = .camera(pieces[2])
  }

  /// The camera that it is about; `nil` for all of them, or if the text is no camera's name.
  var camera: CameraName? { if case .camera(let text) = self { CameraName(text) } else { nil } }

  /// What it does, for the log.
  func word(_ method: HTTPRequest.Method) -> String {
    switch self {
    case .reload: "reload"
    case .camera: method == .delete ? "camera-removed" : "camera-changed"
    }
  }

  /// The methods that it has.
  var methods: [HTTPRequest.Method] {
    switch self {
    case .reload: [.post]
    case .camera: [.get, .head, .put, .delete]
    }
  }

  /// Answers a request whose token was checked.
  func answer(_ request: Request, _ configurator: any Configurator) async -> Response {
    guard methods.contains(request.method) else { return Reply.wrongMethod(request, allowed: methods) }
    let order: ConfigurationOrder
    switch self {
    case .reload: order = .reload
    case .camera(let text):
      guard let name = CameraName(text) else {
        return Reply.error(
          request, .notFound, "badName",
          "\"\(text.prefix(40))\" cannot be a camera's name; accepted: \(CameraName.rule)")
      }
      switch request.method {
      case .put:
        guard let body = await Self.body(of: request) else {
          return Reply.error(
            request, .contentTooLarge, "tooLarge",
            "the settings of a camera are at most \(Self.mostBytes) bytes of YAML or JSON")
        }
        guard let text = body.getString(at: body.readerIndex, length: body.readableBytes),
          text.utf8.elementsEqual(body.readableBytesView)
        else {
          return Reply.error(request, .badRequest, "notText", "send the settings as YAML or JSON in UTF-8")
        }
        order = .write(name, text)
      case .delete: order = .remove(name)
      default: order = .read(name)
      }
    }
    let answer = await configurator.carryOut(order)
    let status: HTTPResponse.Status =
      switch answer.kind {
      case .done: .ok
      case .created: .created
      case .mistaken: .unprocessableContent
      case .unknown: .notFound
      case .impossible: .conflict
      case .busy: .serviceUnavailable
      }
    return Reply.json(request, status, answer.json, fields: answer.kind == .busy ? [.retryAfter: "1"] : [:])
  }

  private static func body(of request: Request) async -> ByteBuffer? {
    try? await request.body.collect(upTo: mostBytes)
  }
}
