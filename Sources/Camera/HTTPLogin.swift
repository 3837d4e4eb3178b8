import Crypto
import Foundation

/// Logs in to cameras over HTTP: Digest with SHA-256 or MD5 (RFC 7616), or Basic if nothing else is offered (RFC 7617).
///
/// A pure state machine: it reads challenges and makes the next request's `Authorization`. A nonce is used until the
/// server gives another, so that only the first login costs an extra request.
struct HTTPLogin: Sendable {
  private struct Digest: Sendable {
    enum Algorithm: String { case md5 = "MD5", sha256 = "SHA-256" }

    let algorithm: Algorithm
    /// The name as the server wrote it.
    let algorithmName: String?
    let isSession: Bool
    let realm: String
    let nonce: String
    let opaque: String?
    let hasQop: Bool
    let hashesUser: Bool
    var count: UInt32 = 0
    /// Whether the server has accepted it.
    var isProven = false
  }

  private enum Way: Sendable {
    case digest(Digest)
    case basic
  }

  private let user: String
  private let password: String
  private let makeNonce: @Sendable () -> String
  private var way: Way?

  /// A login that was not asked for yet.
  ///
  /// - Parameter makeNonce: makes the client's nonces; tests make them predictable.
  init(
    user: String, password: String,
    makeNonce: @escaping @Sendable () -> String = { String(UInt64.random(in: .min ... .max), radix: 36) }
  ) {
    self.user = user
    self.password = password
    self.makeNonce = makeNonce
  }

  /// The value of `Authorization` for the next request; `nil` until the server has asked for a login.
  ///
  /// - Parameter target: path and query as in the request line.
  mutating func authorization(method: String, target: String) -> String? {
    switch way {
    case nil: return nil
    case .basic: return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    case .digest(var digest):
      digest.count += 1
      way = .digest(digest)
      return answer(digest, method: method, target: target)
    }
  }

  /// Reads the challenges of a 401.
  ///
  /// - Returns: whether another try makes sense: not if the server refused the login, nor if it offers no scheme that
  ///   is known here.
  mutating func receive(_ challenges: [HTTPChallenge]) -> Bool {
    let offers = challenges.compactMap(Self.digest)
    let strongest = offers.first { $0.algorithm == .sha256 } ?? offers.first
    if let offer = strongest {
      let isStale = challenges.contains { $0.parameters["stale"]?.lowercased() == "true" }
      if case .digest(let used) = way, used.count > 0, !used.isProven, !isStale {
        // The first answer with this nonce was refused: the password is wrong. The next request starts again.
        way = nil
        return false
      }
      way = .digest(offer)
      return true
    }
    guard challenges.contains(where: { $0.scheme == "basic" }) else { return false }
    if case .basic = way {
      way = nil
      return false
    }
    way = .basic
    return true
  }

  /// Notes that the last request never got to the server, so that its number is free again.
  mutating func repeatLast() {
    guard case .digest(var digest) = way, digest.count > 0 else { return }
    digest.count -= 1
    way = .digest(digest)
  }

  /// Notes that the server has accepted the login.
  mutating func succeed() {
    guard case .digest(var digest) = way else { return }
    digest.isProven = true
    way = .digest(digest)
  }

  private static func digest(_ challenge: HTTPChallenge) -> Digest? {
    guard challenge.scheme == "digest", let realm = challenge.parameters["realm"],
      let nonce = challenge.parameters["nonce"]
    else { return nil }
    let name = challenge.parameters["algorithm"]
    let upper = (name ?? "MD5").uppercased()
    let isSession = upper.hasSuffix("-SESS")
    guard let algorithm = Digest.Algorithm(rawValue: isSession ? String(upper.dropLast(5)) : upper) else { return nil }
    let qop = challenge.parameters["qop"].map { list in
      list.split(separator: ",").map { $0.filter { $0 != " " }.lowercased() }
    }
    // Without qop it is the older RFC 2069. No camera asks for auth-int alone, which signs bodies too.
    guard qop?.contains("auth") ?? true else { return nil }
    return Digest(
      algorithm: algorithm, algorithmName: name, isSession: isSession, realm: realm, nonce: nonce,
      opaque: challenge.parameters["opaque"], hasQop: qop != nil,
      hashesUser: challenge.parameters["userhash"]?.lowercased() == "true")
  }

  /// RFC 7616, section 3.4.
  private func answer(_ digest: Digest, method: String, target: String) -> String {
    let hash = { (text: String) in Self.hash(text, digest.algorithm) }
    let nonce = makeNonce()
    let count = String(digest.count, radix: 16)
    let nc = String(repeating: "0", count: 8 - count.count) + count
    var secret = hash("\(user):\(digest.realm):\(password)")
    if digest.isSession { secret = hash("\(secret):\(digest.nonce):\(nonce)") }
    let request = hash("\(method):\(target)")
    let response =
      digest.hasQop
      ? hash("\(secret):\(digest.nonce):\(nc):\(nonce):auth:\(request)") : hash("\(secret):\(digest.nonce):\(request)")
    let name = digest.hashesUser ? hash("\(user):\(digest.realm)") : user
    var parts = [
      "username=\(Self.quoted(name))", "realm=\(Self.quoted(digest.realm))", "nonce=\(Self.quoted(digest.nonce))",
      "uri=\(Self.quoted(target))", "response=\"\(response)\"",
    ]
    if let algorithm = digest.algorithmName { parts.append("algorithm=\(algorithm)") }
    if let opaque = digest.opaque { parts.append("opaque=\(Self.quoted(opaque))") }
    if digest.hasQop { parts.append("qop=auth, nc=\(nc)") }
    if digest.hasQop || digest.isSession { parts.append("cnonce=\(Self.quoted(nonce))") }
    if digest.hashesUser { parts.append("userhash=true") }
    return "Digest " + parts.joined(separator: ", ")
  }

  private static func hash(_ text: String, _ algorithm: Digest.Algorithm) -> String {
    let bytes = Data(text.utf8)
    let digest: [UInt8] =
      switch algorithm {
      case .md5: Array(Insecure.MD5.hash(data: bytes))
      case .sha256: Array(SHA256.hash(data: bytes))
      }
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.reduce(into: "") { result, scalar in
      if scalar == "\"" || scalar == "\\" { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return "\"\(escaped)\""
  }
}
