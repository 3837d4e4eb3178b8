import Foundation
import Ingest
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import Picture

/// Asks a camera for what stands at its address: with its login, with the cookies that it gives, over one connection
/// as long as the camera keeps it.
actor CameraClient {
  private let location: MediaLocation
  private let url: URLComponents
  private let tls: NIOSSLContext?
  private var login: HTTPLogin?
  private var cookies: [String: String] = [:]
  private var idle: (place: String, answer: CameraAnswer)?
  private let life = NIOLockedValueBox(Life())

  /// What `stop` has to end, from any thread.
  private struct Life {
    var isStopped = false
    var channel: (any Channel)?
  }

  /// Where the last answer came from, in the end.
  private var answered: URLComponents

  private static let mostRedirects = 5
  private static let mostCookies = 20

  /// A client of the camera at `location`.
  ///
  /// - Throws: `PushError` where the address is no URL, or the certificate cannot be read.
  init(_ location: MediaLocation) throws {
    guard var url = URLComponents(string: location.url), url.host?.isEmpty == false else {
      throw PushError(
        "the address \(location) is no URL; write special characters of a password as %XX, or use --password-file")
    }
    if let user = url.user { login = HTTPLogin(user: user, password: url.password ?? "") }
    (url.user, url.password, url.fragment) = (nil, nil, nil)
    self.location = location
    self.url = url
    answered = url
    var configuration = TLSConfiguration.makeClientConfiguration()
    if let authority = location.authority {
      configuration.trustRoots = .file(authority)
      // Cameras make their certificates themselves, and seldom with the name that they are called by. Who has the key
      // of this one is the camera.
      configuration.certificateVerification = .noHostnameVerification
    }
    // A camera may lead from http to https.
    do { tls = try NIOSSLContext(configuration: configuration) } catch {
      throw PushError("cannot read the certificates of \(location.authority ?? "the system"): \(error)")
    }
  }

  /// Ends what is under way, and everything after it.
  nonisolated func stop() {
    let channel = life.withLockedValue { life in
      life.isStopped = true
      return life.channel
    }
    channel?.close(promise: nil)
  }

  /// Whether it was stopped.
  nonisolated var isStopped: Bool { life.withLockedValue { $0.isStopped } }

  /// Asks for the address, again with a login where one is asked for, and where the answer leads elsewhere.
  ///
  /// - Returns: an answer of status 200 to 299, of which the head has come.
  func get() async throws(CameraTrouble) -> CameraAnswer {
    var place = url
    var (redirects, logins) = (0, 0)
    while true {
      var answer = try await ask(place)
      let head = try await answer.readHead()
      if isHome(place) { keepCookies(head) }
      switch head.status {
      case 200..<300:
        login?.succeed()
        answered = place
        return answer
      case 300..<400:
        await giveBack(answer, place)
        redirects += 1
        guard redirects <= Self.mostRedirects, let text = head.first("location"), let base = place.url,
          let next = URL(string: text, relativeTo: base)?.absoluteURL,
          let parts = URLComponents(url: next, resolvingAgainstBaseURL: true), parts.host?.isEmpty == false,
          ["http", "https"].contains(Self.scheme(parts))
        else { throw CameraTrouble(status: head.status, hasLogin: login != nil) ?? .passing("answer \(head.status)") }
        guard location.followsOtherHosts || parts.host?.lowercased() == url.host?.lowercased() else {
          throw .otherHost(parts.host ?? "")
        }
        place = parts
      case 401:
        await giveBack(answer, place)
        logins += 1
        let challenges = HTTPChallenge.all(in: head.values("www-authenticate"))
        // The second time with the same nonce's successor: it had gone stale.
        guard logins <= 2, isHome(place), login?.receive(challenges) ?? false else {
          throw CameraTrouble(status: 401, hasLogin: login != nil) ?? .passing("answer 401")
        }
      default:
        throw CameraTrouble(status: head.status, hasLogin: login != nil) ?? .passing("answer \(head.status)")
      }
    }
  }

  /// Where the last answer came from, for others to read: the camera's address, or where redirects led on its host.
  var place: MediaLocation {
    // FFmpeg follows redirects to other hosts by itself.
    guard !location.followsOtherHosts, answered != url, let home = URLComponents(string: location.url) else {
      return location
    }
    var parts = answered
    if isHome(parts) {
      (parts.percentEncodedUser, parts.percentEncodedPassword) = (home.percentEncodedUser, home.percentEncodedPassword)
    }
    return parts.string.map { location.moved(to: $0) } ?? location
  }

  /// Keeps an answer's connection for the next request, once the rest of the answer has come.
  func giveBack(_ answer: CameraAnswer) async { await giveBack(answer, answered) }

  private func giveBack(_ answer: CameraAnswer, _ place: URLComponents) async {
    idle = (Self.key(place), answer)
  }

  private static func key(_ place: URLComponents) -> String {
    "\(scheme(place))://\(place.host?.lowercased() ?? ""):\(port(place))"
  }

  private static func scheme(_ place: URLComponents) -> String { place.scheme?.lowercased() ?? "http" }

  /// The port that is connected to: the scheme's own if none is written.
  private static func port(_ place: URLComponents) -> Int { place.port ?? (scheme(place) == "https" ? 443 : 80) }

  /// Whether a place is on the camera that the login is for: its own scheme, host and port, or the same host by https
  /// if the address is http and both have their schemes' own ports.
  private func isHome(_ place: URLComponents) -> Bool {
    if Self.key(place) == Self.key(url) { return true }
    return place.host?.lowercased() == url.host?.lowercased() && Self.scheme(url) == "http" && Self.port(url) == 80
      && Self.scheme(place) == "https" && Self.port(place) == 443
  }

  private func ask(_ place: URLComponents) async throws(CameraTrouble) -> CameraAnswer {
    guard !isStopped else { throw .passing("it was stopped") }
    if let (key, answer) = idle.take(), key == Self.key(place), let connection = await answer.connectionForNext() {
      do throws(CameraTrouble) {
        connection.send(request(place))
        var answer = CameraAnswer(connection)
        _ = try await answer.readHead()
        return answer
      } catch {
        // A camera may have closed it meanwhile: that is no trouble.
        guard error.isBeforeAnswer else { throw error }
        login?.repeatLast()
      }
    }
    let connection: CameraConnection
    do { connection = try await connect(place) } catch { throw CameraTrouble(error) }
    connection.send(request(place))
    return CameraAnswer(connection)
  }

  private func connect(_ place: URLComponents) async throws -> CameraConnection {
    let isSecure = Self.scheme(place) == "https"
    var host = place.host ?? ""
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    let life = life
    return try await withTaskCancellationHandler {
      try await CameraConnection.open(
        host: host, port: Self.port(place), tls: isSecure ? tls : nil
      ) { channel in
        life.withLockedValue { life in
          guard !life.isStopped else { return false }
          life.channel = channel
          return true
        }
      }
    } onCancel: {
      life.withLockedValue { $0.channel }?.close(promise: nil)
    }
  }

  private func request(_ place: URLComponents) -> String {
    let path = place.percentEncodedPath.isEmpty ? "/" : place.percentEncodedPath
    let target = place.percentEncodedQuery.map { "\(path)?\($0)" } ?? path
    var host = place.percentEncodedHost ?? ""
    if let port = place.port { host += ":\(port)" }
    var lines = [
      "GET \(target) HTTP/1.1", "Host: \(host)", "User-Agent: quietcam", "Accept: image/jpeg, image/*, */*",
    ]
    if isHome(place) {
      if let authorization = login?.authorization(method: "GET", target: target) {
        lines.append("Authorization: \(authorization)")
      }
      if !cookies.isEmpty {
        let pairs = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append("Cookie: \(pairs.joined(separator: "; "))")
      }
    }
    return lines.joined(separator: "\r\n") + "\r\n\r\n"
  }

  /// Keeps what a camera wants to be told again (RFC 6265); attributes count for nothing, since there is one address.
  private func keepCookies(_ head: AnswerHead) {
    for field in head.values("set-cookie") {
      let pair = field.prefix { $0 != ";" }
      guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else { continue }
      let name = pair[..<equals].trimmingCharacters(in: .whitespaces)
      let value = pair[pair.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      let isSound = (name + value).unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
      if isSound, cookies[name] != nil || cookies.count < Self.mostCookies { cookies[name] = value }
    }
  }
}
