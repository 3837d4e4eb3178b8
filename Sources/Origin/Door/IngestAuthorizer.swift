import Access
import HTTPTypes
import Hummingbird
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Station

/// Decides what a client of the private address is allowed to do, and how often.
struct IngestAuthorizer: Sendable {
  /// How a camera's request continues.
  enum Entry {
    /// Its body can be read. If it is signed, the signature is checked after the last byte.
    case open(BodySignature?)
    /// It is answered, and its body is not read.
    case refused(Response)
  }

  private struct Pace: Sendable {
    var stills: TokenBucket
    var replays = ReplayGuard()
  }

  private final class Gate: Sendable {
    let pace: NIOLockedValueBox<Pace>
    let times: SignedTimes
    let hasToldTrouble = NIOLockedValueBox(false)
    /// Whether nothing more is taken, not even within a request that has begun.
    let isClosed = NIOLockedValueBox(false)

    init(_ pace: Pace, _ times: SignedTimes) {
      self.pace = NIOLockedValueBox(pace)
      self.times = times
    }
  }

  private let operatorToken: TokenDigest
  private let limits: AccessLimits
  private let doors: [CameraName: DoorSettings]
  private let gates: [CameraName: Gate]
  private let logger: Logger
  /// Its sessions open what the operator's token opens, and its tokens are valid too.
  var desk: OperatorDesk?

  /// - Parameter before: the one in whose place this one comes: cameras whose doors are the same keep their pace and what
  ///   is known of their signatures. A new start is as safe, since it takes no signature from before.
  init(
    doors: [CameraName: DoorSettings], operatorToken: TokenDigest, limits: AccessLimits, logger: Logger,
    goingOnFrom before: IngestAuthorizer? = nil
  ) {
    self.logger = logger
    self.operatorToken = operatorToken
    self.limits = limits
    let now = Self.now
    self.doors = doors
    gates = doors.reduce(into: [:]) { gates, item in
      let (name, door) = item
      if let before, let known = before.doors[name], known.tokens == door.tokens, known.maxRate == door.maxRate,
        known.signedTimes == door.signedTimes, let gate = before.gates[name]
      {
        gates[name] = gate
        return
      }
      gates[name] = Gate(
        Pace(stills: TokenBucket(rate: door.maxRate, burst: 2 * door.maxRate, now: now)),
        SignedTimes(path: door.signedTimes, start: .now))
    }
  }

  /// Ends the requests with stills that have begun and would not be let in by another authorizer: of cameras that are
  /// gone there, or have another token.
  func endStreams(unlessAllowedBy other: IngestAuthorizer) {
    for (name, gate) in gates where other.doors[name]?.tokens != doors[name]?.tokens {
      gate.isClosed.withLockedValue { $0 = true }
    }
  }

  /// Whether the stills of a request that has begun are still taken.
  func isStillOpen(_ camera: CameraName) -> Bool { gates[camera]?.isClosed.withLockedValue { !$0 } ?? false }

  /// The answer to a request with stills whose camera was removed, or got another token, while it ran.
  func noLongerOpen(_ request: Request, camera: Camera) -> Response {
    Reply.error(
      request, .unauthorized, "changed",
      "camera \(camera.name) was removed or has another token now; send the stills anew with that")
  }

  /// Milliseconds that never step back.
  private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

  // MARK: Cameras

  /// Accepts a camera that sends its token or announces a signature, and is not too fast.
  func enter(_ request: Request, camera: Camera, context: DoorContext) -> Entry {
    if OperatorGate.isForeign(request.head) { return .refused(foreign(request)) }
    let name = camera.settings.name
    let door = doors[name] ?? .closed
    var signature: BodySignature?
    if door.signing != .off, let digest = door.tokens.first, let text = request.headers[.quietcamSignature] {
      do throws(BodySignature.Refusal) {
        signature = try BodySignature(
          time: request.headers[.quietcamTime] ?? "", signature: text, camera: name, digest: digest,
          now: .now)
      } catch {
        return .refused(unsigned(request, error.detail))
      }
    } else {
      let shown = Credentials.shown(request.headers, query: RequestTarget(request.head.path ?? "/").query)
      let added = desk?.tokens.digests(.camera(name)) ?? []
      guard Credentials.opens(shown, door.tokens + added) else {
        let advice = "send the token of camera \(name) as \"Authorization: Bearer TOKEN\""
        return .refused(wrong(request, shown, context, advice))
      }
      limits.cameras.prove(context.connection)
      if door.signing == .required {
        return .refused(
          unsigned(
            request,
            "camera \(name) has to sign its stills: send X-Quietcam-Time and X-Quietcam-Signature, and no token"))
      }
    }
    // A signed still counts when its signature has proved right: who does not know the token uses up nothing.
    guard signature != nil || admitsStill(of: name) else { return .refused(tooFast(request, camera: camera)) }
    return .open(signature)
  }

  /// Whether a signed body matches its signature and comes for the first time; otherwise the answer.
  func refusal(
    of signature: BodySignature, _ request: Request, camera: Camera, context: DoorContext
  ) async -> Response? {
    let name = camera.settings.name
    guard signature.isValid else {
      guard isWithinLimit(context) else { return slowed(request) }
      return unsigned(
        request,
        "the signature is not that of this time, camera and body; sign TIME, \"\\n\", \(name), \"\\n\" and the body's "
          + "SHA-256 with the SHA-256 of the token, both as hexadecimal digits")
    }
    limits.cameras.prove(context.connection)
    let again = "; sign each still with its own X-Quietcam-Time, down to parts of a second"
    guard let gate = gates[name] else { return unsigned(request, "the camera is not known") }
    if await gate.times.mayBeUsed(signature) {
      return unsigned(request, "this signature may have been used before the server was started" + again)
    }
    let seconds = WallTime.now.milliseconds / 1000
    let verdict: Verdict = gate.pace.withLockedValue { pace in
      // A copy that somebody else sends again costs the camera nothing, and a still that came too fast can come again.
      if pace.replays.knows(signature) { return .known }
      guard pace.stills.take(now: Self.now) else { return .tooFast }
      return pace.replays.admit(signature, now: seconds) ? .accepted : .known
    }
    switch verdict {
    case .accepted: break
    case .known: return unsigned(request, "this signature was used before" + again)
    case .tooFast: return tooFast(request, camera: camera)
    }
    do { try await gate.times.use(signature) } catch {
      tellOnce(error, gate, name)
    }
    return nil
  }

  private enum Verdict {
    case accepted, known, tooFast
  }

  /// The still is accepted all the same: a full disk must not end the stream.
  private func tellOnce(_ error: any Error, _ gate: Gate, _ name: CameraName) {
    let isFirst = gate.hasToldTrouble.withLockedValue { hasTold in
      defer { hasTold = true }
      return !hasTold
    }
    guard isFirst else { return }
    let reason = (error as? SignedTimes.Failure).map { SystemAdvice.sentence($0.code) } ?? "\(error)"
    logger.warning(
      "the time of the last signature cannot be stored; after a restart a signed still could be sent again: \(reason)",
      metadata: ["camera": "\(name)"])
  }

  /// Whether a camera can send one more still now; checked for each still of a stream.
  func admitsStill(of camera: CameraName) -> Bool {
    gates[camera]?.pace.withLockedValue { $0.stills.take(now: Self.now) } ?? false
  }

  /// The lease for a body that is being received.
  ///
  /// - Parameter isProven: whether the sender has shown the camera's token.
  func lease(for camera: CameraName, isProven: Bool, context: DoorContext) -> UploadLease {
    if isProven { return limits.uploads.lease(for: camera) }
    let channel = context.channel
    return limits.uploads.lease(unprovenFrom: context.client.key) { channel.close(promise: nil) }
  }

  /// The answer if bodies being received use all of their memory.
  func noRoom(_ request: Request) -> Response {
    Reply.error(
      request, .serviceUnavailable, "noRoom",
      "too many stills are being received at once; send it again, or raise upload-megabytes",
      fields: [.retryAfter: "1"])
  }

  /// The answer to a signature over a body without an end.
  func cannotBeSigned(_ request: Request) -> Response {
    unsigned(request, "a stream of stills cannot be signed; send each still in a request of its own")
  }

  // MARK: Operators

  /// The refusal of an operator's request; `nil` if it is allowed.
  ///
  /// - Parameters:
  ///   - changes: whether the request changes anything. Pages of other sites can send such requests, and cannot read
  ///     the answers to others.
  ///   - takesSession: whether a session of the operator's page is enough.
  func operatorRefusal(
    _ request: Request, changes: Bool, context: DoorContext, takesSession: Bool = true
  ) -> Response? {
    if changes, OperatorGate.isForeign(request.head) { return foreign(request) }
    if takesSession, desk?.admits(request, changes: changes, context) ?? false { return nil }
    let shown = Credentials.shown(request.headers, query: RequestTarget(request.head.path ?? "/").query)
    if Credentials.opens(shown, [operatorToken] + (desk?.tokens.digests(.operator) ?? [])) {
      limits.cameras.prove(context.connection)
      return nil
    }
    let advice =
      "send the operator's token as \"Authorization: Bearer TOKEN\"; the server's log says where it is if the settings "
      + "do not have it"
    return wrong(request, shown, context, advice)
  }

  /// Who can see a camera.
  func access(to camera: CameraName) -> ViewerAccess { (doors[camera] ?? .closed).access }

  // MARK: Answers

  /// The answer to a token that opens nothing. A right one never comes here, so nobody is locked out by those who send
  /// wrong ones from the same address.
  private func wrong(
    _ request: Request, _ shown: [String], _ context: DoorContext, _ advice: String
  ) -> Response {
    if shown.isEmpty || isWithinLimit(context) { return unauthorized(request, advice) }
    return slowed(request)
  }

  /// Counts a wrong token or signature; `false` if too many come from the address.
  private func isWithinLimit(_ context: DoorContext) -> Bool {
    limits.withTokens { $0.wrong(context.client.key, now: Self.now) }
  }

  private func foreign(_ request: Request) -> Response {
    Reply.error(
      request, .forbidden, "otherSite",
      "the request comes from a page of another site; stills and commands are taken from programs and from pages of "
        + "this address")
  }

  private func unauthorized(_ request: Request, _ detail: String) -> Response {
    // Many cameras send Basic only to a server that asks for it.
    Reply.error(
      request, .unauthorized, "unauthorized", detail,
      fields: [.wwwAuthenticate: "Bearer, Basic realm=\"quietcam\", charset=\"UTF-8\""])
  }

  private func unsigned(_ request: Request, _ detail: String) -> Response {
    Reply.error(request, .unauthorized, "unsigned", detail, fields: [.wwwAuthenticate: "X-Quietcam-Signature"])
  }

  private func slowed(_ request: Request) -> Response {
    Reply.error(
      request, .tooManyRequests, "tooManyWrongTokens",
      "too many wrong tokens or signatures came from your address; send the right one, or try again in a second",
      fields: [.retryAfter: "1"])
  }

  private func tooFast(_ request: Request, camera: Camera) -> Response {
    Reply.error(
      request, .tooManyRequests, "tooFast",
      "camera \(camera.settings.name) sends more than \((doors[camera.settings.name] ?? .closed).maxRate) stills a second; send fewer, or raise "
        + "max-rate", fields: [.retryAfter: "1"])
  }
}

extension HTTPField.Name {
  static let quietcamTime = HTTPField.Name("X-Quietcam-Time")!
  static let quietcamSignature = HTTPField.Name("X-Quietcam-Signature")!
}
