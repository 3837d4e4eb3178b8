import Access
import HTTPTypes
import Hummingbird
import Ingest
import Media
import NIOCore
import NIOHTTP1
import Picture
import Station

/// One request with stills in its body: reads it as it arrives and makes the answer.
struct StillUpload {
  private let request: Request
  private let camera: Camera
  private let signature: BodySignature?
  private let authorizer: IngestAuthorizer
  private let context: DoorContext
  private var channel: any Channel { context.channel }

  /// The upload of an accepted camera.
  ///
  /// - Parameter signature: what the body must match; nothing of it is used before that is checked.
  init(
    _ request: Request, camera: Camera, signature: BodySignature?, authorizer: IngestAuthorizer, context: DoorContext
  ) {
    self.request = request
    self.camera = camera
    self.signature = signature
    self.authorizer = authorizer
    self.context = context
  }

  /// Reads the body and answers with advice to the camera, or with what was wrong.
  ///
  /// - Throws: if the connection breaks; the stills that were complete by then are accepted.
  func answer() async throws -> Response {
    let length = request.headers[.contentLength].flatMap { Int($0) }
    // Over HTTP/2 a body needs no length (RFC 9113, section 8.1.1).
    if length == nil, request.headers[.transferEncoding] == nil, channel.parent?.parent == nil {
      return Reply.closing(
        Reply.error(
          request, .lengthRequired, "lengthRequired", "send Content-Length or a chunked body with the JPEG"),
        channel: channel)
    }
    let label = BodyLabel(contentType: request.headers[.contentType], isOpenEnded: length == nil)
    var signature = signature
    let most = label.mostBytes(stillBytes: camera.settings.maxStillBytes, choice: camera.settings.stillChoice)
    if signature != nil, most == nil {
      return Reply.closing(authorizer.cannotBeSigned(request), channel: channel)
    }
    let lease = authorizer.lease(for: camera.settings.name, isProven: signature == nil, context: context)
    let admits = { [authorizer, camera] in authorizer.admitsStill(of: camera.settings.name) }
    var intake = StillIntake(camera: camera, label: label, isHeldBack: signature != nil, admits: admits)
    if let length, let most, length > most {
      camera.refuse(.tooLarge)
      return refusal(intake.tooLarge, after: intake, isWhole: false)
    }
    if request.headers[.expect]?.lowercased() == "100-continue" { Reply.invite(channel) }
    do {
      for try await piece in request.body {
        guard authorizer.isStillOpen(camera.name) else {
          return Reply.closing(authorizer.noLongerOpen(request, camera: camera), channel: channel)
        }
        signature?.update(piece)
        let before = intake.taken
        try intake.read(piece)
        if intake.taken != before {
          channel.triggerUserOutboundEvent(SlowSenderHandler.Taken(count: intake.taken), promise: nil)
        }
        guard lease.hold(intake.heldBytes) else {
          return Reply.closing(authorizer.noRoom(request), channel: channel)
        }
      }
    } catch let stop as StillIntake.Stop {
      return refusal(stop.refusal, after: intake, isWhole: false)
    } catch HTTPParserError.invalidEOFState {
      return ended(early: intake, length: length)
    }
    do throws(StillIntake.Stop) {
      try intake.end()
      if let signature,
        let refusal = await authorizer.refusal(of: signature, request, camera: camera, context: context)
      {
        return refusal
      }
      return Reply.json(request, .accepted, advice(try intake.settle(), intake))
    } catch {
      // What follows a body that was cut by a wrong length is not a request.
      if length != nil, error.refusal.reason == .truncated || error.refusal.reason == .malformed,
        try await WrongLengthHandler.isBodyFollowed(on: channel).get()
      {
        return refusal(
          StillRefusal(
            .malformed,
            "Content-Length says \(length ?? 0) and the body goes on behind that; count it in 32 bits, "
              + "and send as many bytes as it says"),
          after: intake, isWhole: true)
      }
      return refusal(error.refusal, after: intake, isWhole: true)
    }
  }

  /// The answer to a body whose connection was closed in the middle. A picture may be whole all the same: one that was
  /// told too long, or whose last chunk is missing.
  private func ended(early intake: StillIntake, length: Int?) -> Response {
    let what = length.map { "the connection ended before the \($0) bytes that Content-Length says" }
    let detail = BrokenBody.detail(what ?? "the connection ended before the last chunk", taken: intake.taken)
    return Reply.closing(Reply.error(request, .requestTimeout, "bodyEnded", detail), channel: channel)
  }

  private func advice(_ receipt: Camera.Receipt, _ intake: StillIntake) -> String {
    var json =
      "{\"seq\":\(receipt.sequence),\"interval_ms\":\(receipt.interval.milliseconds),\"waves\":\(receipt.waves)"
    if intake.taken + intake.refused > 1 { json += ",\"stills\":\(intake.taken),\"refused\":\(intake.refused)" }
    return json + "}"
  }

  private func refusal(_ refusal: StillRefusal, after intake: StillIntake, isWhole: Bool) -> Response {
    let status: HTTPResponse.Status =
      switch refusal.reason {
      case .malformed: .badRequest
      case .notJPEG: .unsupportedMediaType
      case .tooLarge: .contentTooLarge
      case .truncated, .noPicture, .unsupported, .corrupt: .unprocessableContent
      }
    let before = intake.taken > 0 ? "; \(intake.taken) stills before it were taken" : ""
    let reply = Reply.error(request, status, refusal.reason.rawValue, refusal.detail + before)
    // A length that is too short cuts the picture, and its rest would be read as requests.
    let isInStep = isWhole && refusal.reason != .truncated && refusal.reason != .malformed
    return isInStep ? reply : Reply.closing(reply, channel: channel)
  }
}
