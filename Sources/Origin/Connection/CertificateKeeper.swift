import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle

/// The files that a door's TLS is made of, both in PEM.
package struct CertificateFiles: Hashable, Sendable {
  /// The certificate, followed by those that signed it.
  package var certificate: String
  /// Its private key, without a passphrase.
  package var key: String

  /// These two files.
  package init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}

/// Holds a door's certificate and takes a new one when its files change, without a restart and without dropping a
/// connection: certificates that renew themselves every few weeks must not need an operator.
package final class CertificateKeeper: Service {
  /// How often the files are looked at.
  private static let pause = Duration.seconds(5)

  private let files: CertificateFiles
  private let logger: Logger
  private let loaded: NIOLockedValueBox<Loaded>

  private struct Loaded: Sendable {
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKeySource
    let stamp: [Date]
  }

  /// Reads the files for the first time.
  ///
  /// - Throws: `CertificateError` where they cannot be read or do not belong together.
  package init(files: CertificateFiles, logger: Logger) throws {
    self.files = files
    self.logger = logger
    loaded = NIOLockedValueBox(try Self.load(files))
  }

  /// The TLS of a server that asks for the newest certificate at each handshake.
  func configuration() -> TLSConfiguration {
    let current = loaded.withLockedValue { $0 }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: current.chain, privateKey: current.key)
    configuration.minimumTLSVersion = .tlsv12
    configuration.sslContextCallback = { [self] _, promise in
      let newest = loaded.withLockedValue { $0 }
      var change = NIOSSLContextConfigurationOverride()
      change.certificateChain = newest.chain
      change.privateKey = newest.key
      promise.succeed(change)
    }
    return configuration
  }

  /// Looks at the files again and again until graceful shutdown or cancellation.
  package func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        try? await Task.sleep(for: Self.pause)
        try? await NIOThreadPool.singleton.runIfActive { self.reloadIfChanged() }
      }
    }
  }

  private func reloadIfChanged() {
    guard let stamp = try? Self.stamp(files), stamp != loaded.withLockedValue({ $0.stamp }) else { return }
    do {
      let fresh = try Self.load(files)
      loaded.withLockedValue { $0 = fresh }
      logger.notice("the certificate was read anew", metadata: ["file": "\(files.certificate)"])
    } catch {
      // Perhaps only one of the two files is new yet; the old pair serves until both fit.
      logger.warning("the old certificate is kept: \(error)")
    }
  }

  private static func load(_ files: CertificateFiles) throws -> Loaded {
    do {
      let stamp = try stamp(files)
      let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { NIOSSLCertificateSource.certificate($0) }
      let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))
      // A context is made only to see whether the key is that of the certificate.
      _ = try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: key))
      return Loaded(chain: chain, key: key, stamp: stamp)
    } catch {
      throw CertificateError(
        description: "the certificate in \(files.certificate) and the key in \(files.key) cannot be used: \(error); "
          + "give a PEM file with the whole chain and the PEM file of its key")
    }
  }

  private static func stamp(_ files: CertificateFiles) throws -> [Date] {
    try [files.certificate, files.key].map { path in
      try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date ?? .distantPast
    }
  }
}

/// Why a certificate cannot be used, as one sentence that says what to do.
package struct CertificateError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  package let description: String
}
