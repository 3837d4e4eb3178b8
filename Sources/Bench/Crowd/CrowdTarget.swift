import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Playlist

/// Where the stream is that a crowd watches.
struct CrowdTarget: Sendable {
  let address: SocketAddress
  /// The server's name or address, and its port.
  let host: String
  /// The path of the media playlist.
  let path: String
  /// The context of TLS, and the name that the certificate must be for, `nil` for an address; for `https` only.
  let tls: (context: NIOSSLContext, name: String?)?

  /// Finds the media playlist at an address of a multivariant or a media playlist.
  ///
  /// - Parameter trust: a PEM file with the certificate that the server's is checked against; `nil` for the system's.
  /// - Throws: `BenchFailure` if there is none.
  init(_ url: URL, trust: String?) async throws {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.applicationProtocols = ["http/1.1"]
    if let trust { configuration.trustRoots = .file(trust) }
    let client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: configuration))
    let found: (url: URL, playlist: String)?
    do { found = try await Self.playlist(at: url, by: client) } catch {
      try? await client.shutdown()
      throw BenchFailure("there is no HLS stream at \(url.absoluteString): \(error)")
    }
    try await client.shutdown()
    guard let found, let name = found.url.host(), let scheme = found.url.scheme, ["http", "https"].contains(scheme)
    else {
      throw BenchFailure(
        "there is no HLS stream at \(url.absoluteString); give the address of a playlist by http:// or https://")
    }
    let port = found.url.port ?? (scheme == "https" ? 443 : 80)
    host = (name.contains(":") ? "[\(name)]" : name) + ":\(port)"
    do { path = try PlaylistNews.path(found.playlist, from: found.url.pathAndQuery, host: host) } catch {
      throw BenchFailure(error.description)
    }
    address = try SocketAddress.makeAddressResolvingHost(name, port: port)
    let isAddress = (try? SocketAddress(ipAddress: name, port: port)) != nil
    tls = scheme == "https" ? (try NIOSSLContext(configuration: configuration), isAddress ? nil : name) : nil
  }

  /// Where the playlist is after redirects, and the media playlist's address as it stands there; `nil` if there is none.
  private static func playlist(at url: URL, by client: HTTPClient) async throws -> (url: URL, playlist: String)? {
    let answer = try await client.execute(HTTPClientRequest(url: url.absoluteString), timeout: .seconds(20))
    guard answer.status == .ok else { return nil }
    let body = try await answer.body.collect(upTo: 1 << 20)
    let end = answer.url ?? url
    if let variant = try? MultivariantPlaylist.parse(body).variants.first { return (end, variant.uri) }
    return (try? MediaPlaylist.parse(body)) == nil ? nil : (end, end.pathAndQuery)
  }
}

extension URL {
  /// What a request for it names.
  fileprivate var pathAndQuery: String {
    let path = path(percentEncoded: true)
    return (path.isEmpty ? "/" : path) + (query(percentEncoded: true).map { "?\($0)" } ?? "")
  }
}
