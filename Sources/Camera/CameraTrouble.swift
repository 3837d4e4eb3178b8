import Foundation
import Media
import NIOCore
import NIOPosix
import NIOSSL
import Picture

/// What is wrong with a camera, on one line, and whether it may pass.
struct CameraTrouble: Error, Hashable, Sendable {
  /// What was read, or what went wrong.
  let words: String
  /// Whether nothing but a person can set it right: a wrong password, a wrong path.
  let isLasting: Bool
  /// What that person should do.
  let advice: String
  /// Whether the trouble came before any byte of an answer, as on a connection that was closed while it was idle.
  var isBeforeAnswer = false

  /// Trouble that passes: the camera is off, busy, or not there yet.
  static func passing(_ words: String) -> CameraTrouble {
    CameraTrouble(words: words, isLasting: false, advice: "check the address and that the camera is on")
  }

  static func lasting(_ words: String, _ advice: String) -> CameraTrouble {
    CameraTrouble(words: words, isLasting: true, advice: advice)
  }

  /// An answer that leads away from the address.
  static func otherHost(_ host: String) -> CameraTrouble {
    .lasting(
      "it leads to another host, \(host)", "give that address itself, or --follow if you trust wherever it leads")
  }

  private static func host(in error: FFmpegError) -> String {
    error.call.firstRange(of: "it leads to ").map { String(error.call[$0.upperBound...]) } ?? "which is not named"
  }

  /// What an answer's status means.
  init?(status: Int, hasLogin: Bool) {
    switch status {
    case 200..<300: return nil
    case 401:
      self = .lasting(
        hasLogin ? "401: it does not take this user and password" : "401: it wants a user and a password",
        Self.checkLogin)
    case 408, 425, 429: self = .passing("answer \(status)")
    case 300..<400: self = .lasting("the answer \(status) leads nowhere", Self.checkPath)
    case 400..<500: self = .lasting("answer \(status)", Self.checkPath)
    default: self = .passing(status == 503 ? "it is busy (answer 503)" : "answer \(status)")
    }
  }

  private init(words: String, isLasting: Bool, advice: String) {
    (self.words, self.isLasting, self.advice) = (words, isLasting, advice)
  }

  private static let checkLogin =
    "check the user and password: --user and --password-file, or scheme://user:password@camera/… as the address"
  private static let checkPath = "check the path of the address in the camera's manual"

  /// What a failed connection means.
  init(_ error: any Error) {
    switch error {
    case let trouble as CameraTrouble: self = trouble
    case let error as NIOConnectionError:
      let reason = error.connectionErrors.first.map { Self.words("\($0.error)") }
      self = .passing(reason ?? "the host's name is not known")
    default:
      let words = PushRun.words(error)
      self =
        words == PushRun.untrusted
        ? .lasting(
          "the camera's certificate is not signed by anyone whom this machine trusts",
          "give it, or its signer's, by --source-ca FILE")
        : .passing(Self.words("\(error)"))
    }
  }

  private static func words(_ text: String) -> String {
    for (sign, words) in signs where text.contains(sign) { return words }
    return String(text.prefix { !$0.isNewline }.prefix(120))
  }

  private static let signs = [
    ("ECONNREFUSED", "connection refused"), ("onnection refused", "connection refused"),
    ("onnectTimeout", "no connection within 5 s"), ("imed out", "no connection within 5 s"),
    ("onnection reset", "the connection was reset"), ("roken pipe", "the connection was reset"),
    ("o route to host", "no route to the host"), ("etwork is unreachable", "the network is unreachable"),
    ("uncleanShutdown", "the camera closed the connection"), ("eofDuringHandshake", "it does not speak TLS"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS"), ("getaddrinfo", "the host's name is not known"),
  ]

  /// What an error of FFmpeg about a camera or a stream means.
  init(_ error: FFmpegError) {
    switch error.code {
    case FFmpegError.unauthorized:
      self = .lasting("401: it wants another user and password", Self.checkLogin)
    case FFmpegError.forbidden: self = .lasting("answer 403", Self.checkPath)
    case FFmpegError.notFound: self = .lasting("answer 404", Self.checkPath)
    case FFmpegError.badRequest, FFmpegError.otherRequestError:
      self = .lasting("it refuses the request (4xx)", Self.checkPath)
    case FFmpegError.serverError: self = .passing("it is busy or broken (5xx)")
    case FFmpegError.timedOut: self = .passing("nothing came in time")
    case FFmpegError.otherHost: self = .otherHost(Self.host(in: error))
    case FFmpegError.endOfFile: self = .passing("the stream ended")
    case -ECONNREFUSED: self = .passing("connection refused")
    case -EHOSTUNREACH: self = .passing("no route to the host")
    case -ENETUNREACH, -ENETDOWN: self = .passing("the network is unreachable")
    case -ECONNRESET, -EPIPE, -ECONNABORTED: self = .passing("the connection was reset")
    // FFmpeg says no more than that where a name is not known or a connection breaks.
    case -EIO: self = .passing("the host's name is not known, or the connection broke")
    case FFmpegError.invalidData: self = .lasting("what it answers is no video that FFmpeg reads", Self.checkPath)
    default: self = .lasting(error.reason, "check the address and that the camera is on")
    }
  }
}
