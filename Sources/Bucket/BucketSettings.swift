/// A place in S3-compatible storage, as it is written: `s3://NAME` or `s3://NAME/PREFIX`.
package struct BucketPlace: Hashable, Sendable, CustomStringConvertible {
  /// The bucket's name.
  package let name: String
  /// What the names of all objects begin with, without a slash at either end; empty for none.
  package let prefix: String

  /// Reads `s3://NAME/PREFIX`; `nil` for anything else. Names have 3 to 63 small letters, digits, dots and hyphens; a
  /// prefix has letters, digits and `-_.` between its slashes.
  package init?(_ text: some StringProtocol) {
    guard text.hasPrefix("s3://"), text.utf8.count <= 600 else { return nil }
    let pieces = String(text).dropFirst(5).split(separator: "/", omittingEmptySubsequences: false)
    guard let name = pieces.first, (3...63).contains(name.utf8.count), Self.isName(name) else { return nil }
    var folders = pieces.dropFirst()
    if folders.last?.isEmpty == true { folders.removeLast() }
    let isFolder = { (folder: Substring) in
      !folder.isEmpty && folder != "." && folder != ".."
        && folder.utf8.allSatisfy { Self.isAlphanumeric($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }
    guard folders.allSatisfy(isFolder) else { return nil }
    self.name = String(name)
    prefix = folders.joined(separator: "/")
  }

  /// The key of an object of a camera.
  package func key(camera: String, file: String) -> String { folder(camera: camera) + file }

  /// What the keys of all objects of a camera begin with.
  package func folder(camera: String) -> String { prefix.isEmpty ? "\(camera)/" : "\(prefix)/\(camera)/" }

  /// The text that it is read from.
  package var description: String { "s3://\(name)" + (prefix.isEmpty ? "" : "/\(prefix)") }

  private static func isName(_ name: Substring) -> Bool {
    let isEnd = { (byte: UInt8?) in byte.map { (48...57).contains($0) || (97...122).contains($0) } ?? false }
    return isEnd(name.utf8.first) && isEnd(name.utf8.last) && !name.contains("..")
      && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46 }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
}

/// The address of a server with the S3 interface: `https://HOST` or `https://HOST:PORT`.
package struct BucketEndpoint: Hashable, Sendable, CustomStringConvertible {
  /// `https` or `http`.
  package let scheme: String
  /// Host and port as a request's `Host` has them: without the scheme's own port.
  package let host: String

  /// Reads an address without a path; `nil` for anything else.
  package init?(_ text: some StringProtocol) {
    guard let scheme = ["https", "http"].first(where: { text.hasPrefix("\($0)://") }), text.utf8.count <= 300 else {
      return nil
    }
    var rest = String(text.dropFirst(scheme.utf8.count + 3)).lowercased()
    if rest.hasSuffix("/") { rest.removeLast() }
    let isIPv6 = rest.hasPrefix("[")
    let end = isIPv6 ? rest.firstIndex(of: "]").map(rest.index(after:)) : rest.firstIndex(of: ":") ?? rest.endIndex
    guard let end else { return nil }
    let (name, port) = (rest[..<end], rest[end...])
    let signs: [UInt8] = isIPv6 ? Array(":.[]".utf8) : Array(".-".utf8)
    guard (1...253).contains(name.utf8.count),
      name.utf8.allSatisfy({ (48...57).contains($0) || (97...122).contains($0) || signs.contains($0) })
    else { return nil }
    if !port.isEmpty {
      guard port.first == ":", let number = Int(port.dropFirst()), (1...65_535).contains(number) else { return nil }
    }
    self.scheme = scheme
    host = port == (scheme == "https" ? ":443" : ":80") ? String(name) : String(rest)
  }

  /// Amazon's own endpoint of a region.
  static func amazon(region: String) -> BucketEndpoint? { BucketEndpoint("https://s3.\(region).amazonaws.com") }

  /// The address.
  package var description: String { "\(scheme)://\(host)" }
}

/// Where cameras are copied to, and with what key.
package struct BucketSettings: Hashable, Sendable {
  /// How a bucket is named in requests.
  package enum Style: String, CaseIterable, Hashable, Sendable {
    /// Before the host: `https://NAME.HOST/KEY`.
    case host
    /// Before the key: `https://HOST/NAME/KEY`.
    case path
  }

  /// The bucket.
  package let place: BucketPlace
  /// The server.
  package let endpoint: BucketEndpoint
  /// The region that requests are signed for.
  package let region: String
  /// How the bucket is named.
  package let style: Style
  /// The key.
  package let key: AccessKey

  /// These settings.
  ///
  /// - Parameters:
  ///   - endpoint: `nil` for Amazon's in the region.
  ///   - style: `nil` for `path` with an endpoint of its own, else `host`.
  package init?(place: BucketPlace, endpoint: BucketEndpoint?, region: String, style: Style?, key: AccessKey) {
    guard let server = endpoint ?? .amazon(region: region) else { return nil }
    self.place = place
    self.endpoint = server
    self.region = region
    // A bucket with a dot has no certificate before Amazon's host.
    self.style = style ?? (endpoint == nil && !place.name.contains(".") ? .host : .path)
    self.key = key
  }

  /// The `Host` of requests.
  package var host: String { style == .host ? "\(place.name).\(endpoint.host)" : endpoint.host }

  /// The path of requests for the bucket itself.
  package var root: String { style == .host ? "/" : "/\(place.name)" }

  /// The path of an object with this key, encoded.
  package func path(ofKey key: String) -> String {
    (style == .host ? "/" : "/\(place.name)/") + RequestSigner.encoded(key, keepsSlashes: true)
  }

  /// The address below which viewers find the cameras.
  package var address: String {
    "\(endpoint.scheme)://\(host)\(root == "/" ? "" : root)/" + (place.prefix.isEmpty ? "" : "\(place.prefix)/")
  }
}
