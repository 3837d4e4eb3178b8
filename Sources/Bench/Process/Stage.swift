import Foundation
import Media
import NIOCore
import NIOSSL
import Playlist

/// The servers of a bench: one with a camera that is on, and one for each style of a camera that is off.
final class Stage: Sendable {
  let server: ServerProcess
  let off: [Way: ServerProcess]
  /// Why a way cannot be measured, or what is different about it.
  let problems: [Way: String]
  let serverTLS: TLSConfiguration?
  let clientTLS: NIOSSLContext?

  /// What the stream says about itself.
  struct Facts: Sendable {
    let size: PictureSize
    let step: Ticks
    let part: Ticks
    let segment: Ticks
    /// How much a playlist lists; a loop of cached names cannot play faster.
    let window: Ticks
  }

  /// Starts the servers.
  ///
  /// - Throws: `BenchFailure`.
  init(_ set: StillSet, options: BandwidthBench.Options, program: URL, folder: URL) async throws {
    let certificate = options.isHTTP2 ? try await Self.certificate(in: folder) : nil
    if let certificate {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate.file).map { NIOSSLCertificateSource.certificate($0) }
      let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem))
      serverTLS = .makeServerConfiguration(certificateChain: chain, privateKey: key)
      var client = TLSConfiguration.makeClientConfiguration()
      client.applicationProtocols = ["h2"]
      client.certificateVerification = .none  // It is the bench's own, made for this run.
      clientTLS = try NIOSSLContext(configuration: client)
    } else {
      (serverTLS, clientTLS) = (nil, nil)
    }
    let settings = options.settings.flatMap { ["--\($0.key)", $0.value] }
    server = try await ServerProcess(
      program: program, name: "serve", folder: folder, store: "memory", settings: settings, certificate: certificate)
    var (off, problems): ([Way: ServerProcess], [Way: String]) = ([:], [:])
    let styles: [(Way, String, Set<Way>)] = [
      (.offSeamless, "seamless", [.offSeamless]), (.offCached, "cached", [.offCached, .offCachedFrames]),
    ]
    for (way, style, watched) in styles where !watched.isDisjoint(with: options.ways) {
      do {
        let store = folder.appending(path: style)
        try await Self.makeLoop(
          of: set, every: options.every, in: store, program: program, settings: settings, folder: folder)
        off[way] = try await ServerProcess(
          program: program, name: style, folder: folder, store: store.path, settings: settings + ["--off", style],
          certificate: certificate)
        _ = try await Self.facts(port: off[way]?.publicPort ?? 0, tls: clientTLS)
      } catch let failure as BenchFailure {
        for way in watched { problems[way] = failure.description }
      }
    }
    (self.off, self.problems) = (off, problems)
  }

  /// Reads the stream's playlists, once they exist.
  ///
  /// - Throws: `BenchFailure`.
  func facts() async throws -> Facts { try await Self.facts(port: server.publicPort, tls: clientTLS) }

  private static func facts(port: Int, tls: NIOSSLContext?) async throws -> Facts {
    let venue = Venue(quietcam: port, plain: 0, off: [:], tls: tls, every: .zero)
    let tab = venue.tab(port: port)
    let path = "/\(ServerProcess.camera)/index.m3u8"
    for _ in 0..<200 {
      if let first = try? await tab.load(path, .playlist), let playlist = try? MultivariantPlaylist.parse(first.body),
        let variant = playlist.variants.first, let size = variant.resolution, let rate = variant.frameRate,
        let media = try? await tab.playlist(resolve(variant.uri, from: path))
      {
        await tab.client.close()
        let segment = Ticks.seconds(Int64(media.targetDuration))
        return Facts(
          size: size, step: Ticks(Ticks.perSecond * 1000 / Int64(rate.thousandths)), part: media.partTarget ?? segment,
          segment: segment, window: segment * Int64(media.segments.count))
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchFailure("quietcam serve gave no playlist within 10 s; run it alone and look at its log")
  }

  /// Ends the servers.
  func close() async {
    for server in [server] + off.values { await server.stop() }
  }

  /// The most stills of a loop: few enough that a viewer has seen all of it before the steady state begins.
  private static let loopStills = 12

  private static func makeLoop(
    of set: StillSet, every: Ticks, in store: URL, program: URL, settings: [String], folder: URL
  ) async throws {
    let stills = folder.appending(path: "loop-stills")
    try FileManager.default.createDirectory(at: stills, withIntermediateDirectories: true)
    for (index, still) in set.stills.prefix(loopStills).enumerated() {
      try Data(still.readableBytesView).write(to: stills.appending(path: "\(index + 100).jpg"))
    }
    let arguments = [
      "loop", stills.path, "--every", "\(every.secondsText)s", "--store", store.path, "--camera", ServerProcess.camera,
      "--token", ServerProcess.token,
    ]
    _ = try await ExternalProgram(program).output(arguments + settings)
  }

  private static func certificate(in folder: URL) async throws -> (file: String, key: String) {
    let (file, key) = (folder.appending(path: "bench.pem").path, folder.appending(path: "bench.key").path)
    _ = try await ExternalProgram.openssl.output([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file,
    ])
    return (file, key)
  }
}
