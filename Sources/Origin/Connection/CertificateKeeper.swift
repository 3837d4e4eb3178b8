import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Station

/// The PEM files for a listener's TLS.
package struct CertificateFiles: Hashable, Sendable {
  /// The certificate, followed by its chain.
  package var certificate: String
  /// Its private key, without a passphrase.
  package var key: String

  /// These two files.
  package init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}

/// Holds a listener's certificate and reads a new one when its files change, without a restart and without closing a
/// connection. So certificates that are renewed every few weeks need no operator.
package final class CertificateKeeper: Service {
  /// How often the files are checked.
  private static let pause = Duration.seconds(5)

  private let logger: Logger
  private let state: NIOLockedValueBox<State>

  private struct State: Sendable {
    var files: CertificateFiles
    var loaded: LoadedCertificate
    /// What the files held when they could not be used, so that it is said once.
    var refused: [[UInt8]]?
    var validity: LoadedCertificate.Validity?
  }

  /// Reads the files for the first time.
  ///
  /// - Throws: `CertificateError` if they cannot be read or do not match.
  package init(files: CertificateFiles, logger: Logger) throws {
    self.logger = logger
    let loaded = try LoadedCertificate(of: files, bytes: try LoadedCertificate.read(files))
    state = NIOLockedValueBox(State(files: files, loaded: loaded))
    checkValidity()
  }

  /// What the certificate's dates say now.
  package var validity: LoadedCertificate.Validity { state.withLockedValue { $0.loaded.validity(at: .now) } }

  /// Where it is read from.
  package var files: CertificateFiles { state.withLockedValue { $0.files } }

  /// A certificate that was read and can be taken.
  package struct Fresh: Sendable {
    fileprivate let files: CertificateFiles
    fileprivate let loaded: LoadedCertificate
  }

  /// Reads the certificate in these files, as `take` wants it.
  ///
  /// - Returns: `nil` if the files are those that it has and cannot be read again, as a pipe cannot.
  /// - Throws: `CertificateError` if they cannot be read or do not match.
  package func read(_ files: CertificateFiles) throws -> Fresh? {
    let (known, isReadOnce) = state.withLockedValue { ($0.files, $0.loaded.isReadOnce) }
    if known == files, isReadOnce { return nil }
    return Fresh(files: files, loaded: try LoadedCertificate(of: files, bytes: try LoadedCertificate.read(files)))
  }

  /// Gives new connections a certificate that was read.
  ///
  /// - Returns: whether it is another one than before.
  package func take(_ fresh: Fresh) -> Bool {
    let isOther = state.withLockedValue { state in
      defer { (state.files, state.loaded, state.refused) = (fresh.files, fresh.loaded, nil) }
      return state.loaded.bytes != fresh.loaded.bytes
    }
    if isOther {
      logger.notice("the certificate was read anew", metadata: ["file": "\(fresh.files.certificate)"])
      checkValidity()
    }
    return isOther
  }

  /// The TLS configuration of a server, with the newest certificate at each handshake.
  func configuration() -> TLSConfiguration {
    let current = state.withLockedValue { $0.loaded }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: current.chain.map { .certificate($0) }, privateKey: .privateKey(current.key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.sslContextCallback = { [self] _, promise in
      let newest = state.withLockedValue { $0.loaded }
      var change = NIOSSLContextConfigurationOverride()
      change.certificateChain = newest.chain.map { .certificate($0) }
      change.privateKey = .privateKey(newest.key)
      promise.succeed(change)
    }
    return configuration
  }

  /// Checks the files until graceful shutdown or cancellation.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try? await Task.sleep(for: Self.pause)
        try? await NIOThreadPool.singleton.runIfActive {
          self.reloadIfChanged()
          self.checkValidity()
        }
      }
    }
  }

  /// Takes what the paths lead to now. Their bytes are compared, and not their times: a path may be a link, or lead
  /// through one, that is turned to another file which is older.
  private func reloadIfChanged() {
    guard !state.withLockedValue({ $0.loaded.isReadOnce }), let bytes = try? LoadedCertificate.read(files),
      state.withLockedValue({ $0.loaded.bytes != bytes && $0.refused != bytes })
    else { return }
    do {
      let fresh = try LoadedCertificate(of: files, bytes: bytes)
      state.withLockedValue { ($0.loaded, $0.refused) = (fresh, nil) }
      logger.notice("the certificate was read anew", metadata: ["file": "\(files.certificate)"])
    } catch {
      // Perhaps only one of the two files is new yet; the old pair serves until both fit.
      state.withLockedValue { $0.refused = bytes }
      logger.warning("the old certificate is kept: \(error)")
    }
  }

  /// Tells the operator when browsers refuse the certificate for its dates, or will soon.
  private func checkValidity() {
    let validity = state.withLockedValue { state -> LoadedCertificate.Validity? in
      let now = state.loaded.validity(at: .now)
      guard now != state.validity else { return nil }
      defer { state.validity = now }
      return state.validity == nil && now == .good ? nil : now
    }
    let metadata: Logger.Metadata = ["file": "\(files.certificate)"]
    switch validity {
    case .expired(let end):
      logger.error(
        "the certificate has expired on \(end.iso8601) and browsers refuse it; renew it, and it is taken without a restart",
        metadata: metadata)
    case .notYet(let start):
      logger.error(
        "the certificate is good only from \(start.iso8601) on and browsers refuse it; check the machine's clock",
        metadata: metadata)
    case .endsSoon(let end):
      logger.warning(
        "the certificate expires on \(end.iso8601); renew it, and it is taken without a restart", metadata: metadata)
    case .good, nil: break
    }
  }
}
