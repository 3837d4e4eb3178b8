import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import NIOSSL
import Picture
import Synchronization

/// A URL that answers each GET with one JPEG, requested at every beat.
///
/// Logins are in the URL, `http://user:password@camera/snapshot.jpg`, and work as Basic and as Digest.
package actor SnapshotSource: StillSource {
  private let location: MediaLocation
  private let url: URLComponents
  private var login: HTTPLogin?
  private let client: HTTPClient
  private let isStopped = Atomic<Bool>(false)

  /// The largest snapshot that is read, in bytes.
  static let largest = 64 << 20
  private static let mostRedirects = 3

  /// A source of the snapshots of `location`; `stop` must be called at the end.
  ///
  /// - Throws: `PushError` if the address is not a URL.
  package init(_ location: MediaLocation) throws {
    guard var url = URLComponents(string: location.url), url.host?.isEmpty == false else {
      throw PushError(
        "the address \(location) is no URL; write special characters of a password as %XX, or use --password-file")
    }
    if let user = url.user { login = HTTPLogin(user: user, password: url.password ?? "") }
    (url.user, url.password, url.fragment) = (nil, nil, nil)
    self.location = location
    self.url = url
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(10), write: .seconds(10)))
    var tls = TLSConfiguration.makeClientConfiguration()
    if let authority = location.authority {
      tls.trustRoots = .file(authority)
      // Cameras make their own certificates, and usually with another name than the one they are called by. The camera
      // is identified by its key.
      tls.certificateVerification = .noHostnameVerification
    }
    configuration.tlsConfiguration = tls
    // The next beat tries again; a camera that is off is to be said at once.
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Whether the URL answers with a single picture: its type is `image/…`, or the body begins as a JPEG and the type is
  /// neither `multipart/…` nor `video/…`.
  ///
  /// - Throws: `FFmpegError` with the code that FFmpeg has for the same trouble.
  package func isSnapshot() async throws -> Bool {
    do {
      let answer = try await fetch(upTo: 3, prefixOnly: true)
      let type = answer.type?.lowercased() ?? ""
      return type.hasPrefix("image/")
        || Self.isJPEG(answer.body) && !type.hasPrefix("multipart/") && !type.hasPrefix("video/")
    } catch let trouble as Trouble {
      guard trouble.words != PushRun.untrusted else {
        throw PushError(
          "cannot open \(location): the camera's certificate is not signed by anyone whom this machine trusts; "
            + "give it, or its signer's, by --source-ca FILE")
      }
      let code: Int32 =
        switch trouble.status {
        case 401: FFmpegError.unauthorized
        case 403: FFmpegError.forbidden
        case 404: FFmpegError.notFound
        case 0 where trouble.words == "connection refused": -ECONNREFUSED
        default: -EIO
        }
      throw FFmpegError(code: code, call: "GET \(location): \(trouble.words)")
    }
  }

  /// The snapshot of this moment; a camera that does not answer is a problem that may pass.
  package func next(_ beat: Beat) async throws -> NextStill {
    do {
      let answer = try await fetch(upTo: Self.largest, prefixOnly: false)
      guard Self.isJPEG(answer.body) else {
        return .nothing("camera: the answer is no JPEG but \(answer.type ?? "of no type")")
      }
      return .still(answer.body)
    } catch let trouble as Trouble {
      return isStopped.load(ordering: .relaxed) ? .end : .nothing("camera: \(trouble.words)")
    }
  }

  /// Interrupts the current request.
  package nonisolated func stop() {
    guard !isStopped.exchange(true, ordering: .relaxed) else { return }
    client.shutdown { _ in }  // Errors while closing do not matter: the connections are not needed any more.
  }

  deinit { stop() }

  private struct Trouble: Error {
    var status = 0
    let words: String
  }

  private struct Answer {
    let type: String?
    let body: ByteBuffer
  }

  private static func isJPEG(_ body: ByteBuffer) -> Bool { body.readableBytesView.starts(with: [0xFF, 0xD8, 0xFF]) }

  /// One GET, repeated with a login if the server asks for one, and at another address if it redirects.
  private func fetch(upTo limit: Int, prefixOnly: Bool) async throws -> Answer {
    var place = url
    var (redirects, logins) = (0, 0)
    while true {
      let response = try await get(place)
      let status = Int(response.status.code)
      switch status {
      case 200..<300:
        login?.succeed()
        return Answer(
          type: response.headers.first(name: "Content-Type"), body: try await read(response, limit, prefixOnly))
      case 300..<400:
        redirects += 1
        guard redirects <= Self.mostRedirects, let text = response.headers.first(name: "Location"),
          let base = place.url, let next = URL(string: text, relativeTo: base)?.absoluteURL,
          let parts = URLComponents(url: next, resolvingAgainstBaseURL: true), parts.host != nil
        else { throw Trouble(status: status, words: "the answer \(status) leads nowhere") }
        place = parts
      case 401:
        logins += 1
        let challenges = HTTPChallenge.all(in: response.headers["WWW-Authenticate"])
        // The second time, with the successor of the same nonce: the first had become stale.
        guard logins <= 2, isHome(place), login?.receive(challenges) ?? false else {
          throw Trouble(
            status: status,
            words: login == nil ? "401: it wants a user and a password" : "401: it does not take this user and password"
          )
        }
      default: throw Trouble(status: status, words: "answer \(status)")
      }
    }
  }

  /// Whether an address is on the camera that the login is for.
  private func isHome(_ place: URLComponents) -> Bool {
    (place.scheme, place.host, place.port) == (url.scheme, url.host, url.port)
  }

  private func get(_ place: URLComponents) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: place.string ?? "")
    request.headers.add(name: "User-Agent", value: "quietcam")
    request.headers.add(name: "Accept", value: "image/jpeg, image/*, */*")
    let path = place.percentEncodedPath.isEmpty ? "/" : place.percentEncodedPath
    let target = place.percentEncodedQuery.map { "\(path)?\($0)" } ?? path
    if isHome(place), let authorization = login?.authorization(method: "GET", target: target) {
      request.headers.add(name: "Authorization", value: authorization)
    }
    do { return try await client.execute(request, timeout: .seconds(30)) } catch { throw try Self.trouble(error) }
  }

  private func read(_ response: HTTPClientResponse, _ limit: Int, _ prefixOnly: Bool) async throws -> ByteBuffer {
    var body = ByteBuffer()
    do {
      for try await var piece in response.body {
        body.writeBuffer(&piece)
        if prefixOnly, body.readableBytes >= limit { break }
        guard body.readableBytes <= limit else { throw Trouble(words: "the answer has more than \(limit) bytes") }
      }
      return body
    } catch let trouble as Trouble { throw trouble } catch { throw try Self.trouble(error) }
  }

  private static func trouble(_ error: any Error) throws -> Trouble {
    try Task.checkCancellation()
    return Trouble(words: PushRun.words(error))
  }
}
