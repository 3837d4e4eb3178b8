import Media
import NIOSSL

/// A certificate with its key, read and found to belong together.
package struct LoadedCertificate: Sendable {
  /// What the dates of a certificate say at a moment.
  package enum Validity: Hashable, Sendable {
    /// Browsers take it.
    case good
    /// Before its first moment.
    case notYet(WallTime)
    /// In the last days before its last moment.
    case endsSoon(WallTime)
    /// After its last moment.
    case expired(WallTime)
  }

  /// How long before its end the operator is told: authorities renew well before that.
  private static let warning: Int64 = 7 * 86_400_000
  private static let mostBytes = 1 << 20

  /// The certificate and those that signed it, in this order.
  let chain: [NIOSSLCertificate]
  /// Its key.
  let key: NIOSSLPrivateKey
  /// What both files held.
  let bytes: [[UInt8]]
  /// Whether a file can be read but once, as a pipe can.
  let isReadOnce: Bool

  /// What both files hold now.
  static func read(_ files: CertificateFiles) throws(CertificateError) -> [[UInt8]] {
    var bytes: [[UInt8]] = []
    for path in [files.certificate, files.key] {
      do throws(InputFile.Problem) {
        bytes.append(try InputFile.bytes(at: path, most: mostBytes))
      } catch {
        throw CertificateError("cannot read \(path): \(error); check the path and the right to read it")
      }
    }
    return bytes
  }

  /// The certificate in these bytes of the files.
  ///
  /// - Throws: which of the two is wrong, and what to do.
  init(of files: CertificateFiles, bytes: [[UInt8]]) throws(CertificateError) {
    self.bytes = bytes
    isReadOnce = ![files.certificate, files.key].allSatisfy(InputFile.isPlain(at:))
    let keyText = String(decoding: bytes[1], as: UTF8.self)
    guard !keyText.contains("ENCRYPTED") else {
      throw CertificateError(
        "the key in \(files.key) has a password, and a server that starts by itself has nobody to ask; write one without, "
          + "with `openssl pkey -in \(files.key) -out NEW`, that this user alone may read")
    }
    do {
      chain = try NIOSSLCertificate.fromPEMBytes(bytes[0])
    } catch {
      let isKey = String(decoding: bytes[0], as: UTF8.self).contains("PRIVATE KEY-----")
      throw CertificateError(
        "there is no certificate in \(files.certificate)\(isKey ? " but a key" : " (\(error))"); give a PEM file with the "
          + "certificate, followed by those that signed it")
    }
    do {
      key = try NIOSSLPrivateKey(bytes: bytes[1], format: .pem)
    } catch {
      throw CertificateError(
        "there is no key in \(files.key) (\(error)); give the PEM file with the key of the certificate in "
          + files.certificate)
    }
    guard !chain.isEmpty else { throw CertificateError("there is no certificate in \(files.certificate)") }
    // A context is made only to see whether the key is that of the certificate.
    guard let refusal = Self.refusal(of: chain, key) else { return }
    if let place = chain.indices.dropFirst().first(where: { Self.refusal(of: [chain[$0]], key) == nil }) {
      throw CertificateError(
        "the chain in \(files.certificate) is in the wrong order: the key is that of certificate \(place + 1); put that one "
          + "first, and behind it those that signed it, each behind the one that it signed")
    }
    throw CertificateError(
      "the certificate in \(files.certificate) and the key in \(files.key) do not belong together (\(refusal)); give the "
        + "key that the certificate was made for")
  }

  /// What the dates of all certificates of the chain say; the worst counts, since browsers look at each.
  func validity(at now: WallTime) -> Validity {
    let starts = chain.map { WallTime(milliseconds: Int64($0.notValidBefore) * 1000) }
    let ends = chain.map { WallTime(milliseconds: Int64($0.notValidAfter) * 1000) }
    guard let start = starts.max(), let end = ends.min() else { return .good }
    if end < now { return .expired(end) }
    if now < start { return .notYet(start) }
    return end.milliseconds - now.milliseconds < Self.warning ? .endsSoon(end) : .good
  }

  private static func refusal(of chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) -> (any Error)? {
    do {
      _ = try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
      return nil
    } catch {
      return error
    }
  }
}

/// Why a certificate cannot be used, as one sentence that says what to do.
package struct CertificateError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  package let description: String

  init(_ description: String) { self.description = description }
}
