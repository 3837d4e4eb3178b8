import Access
import ArgumentParser
import Foundation
import Logging
import Media
import Settings

/// The operator's token of a server, and where it comes from.
enum OperatorToken: Sendable {
  /// The settings have it.
  case configured(TokenDigest)
  /// It is in a file of the store, where the server made it.
  case file(TokenDigest, path: String, isNew: Bool)
  /// Nothing has it but this process.
  case process(AccessToken)

  /// That of the settings; otherwise that of the store's file, which is made if need be.
  ///
  /// A store that cannot be written, for now, does not keep the server from starting.
  ///
  /// - Throws: `ValidationError` if the file is there and has no token that can be read.
  init(_ settings: ServeSettings, logger: Logger) throws {
    if let digest = settings.operatorToken {
      self = .configured(digest)
      return
    }
    guard case .folder(let store) = settings.store else {
      self = .process(AccessToken())
      return
    }
    // A folder that cannot be made is told by what happens next.
    try? FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
    let file = OperatorTokenFile(store: store)
    do throws(OperatorTokenFile.Problem) {
      let (text, isNew) = try file.readOrMake()
      if file.isReadableByOthers {
        logger.warning("all users of this machine can read \(file.path); run `chmod 600` on it")
      }
      self = .file(TokenDigest(text) ?? TokenDigest(of: text), path: Self.absolute(file.path), isNew: isNew)
    } catch {
      guard error.isOfWriting else { throw ValidationError(error.description) }
      logger.warning("\(error)")
      self = .process(AccessToken())
    }
  }

  /// The token of the same process with settings that were read anew: the one in the store's file may be another now.
  ///
  /// - Throws: as `init` does.
  func afterReload(_ settings: ServeSettings, logger: Logger) throws -> TokenDigest {
    if settings.operatorToken == nil, case .process = self { return digest }
    let token = try OperatorToken(settings, logger: logger)
    if case .process = token { token.announce(logger: logger) }
    return token.digest
  }

  /// What the server stores of it.
  var digest: TokenDigest {
    switch self {
    case .configured(let digest), .file(let digest, _, _): digest
    case .process(let token): token.digest
    }
  }

  /// Says where it is. One that is nowhere else is printed, once, on the standard output and not in the log.
  func announce(logger: Logger) {
    switch self {
    case .configured: break
    case .file(_, let path, let isNew): logger.notice("operator: \(isNew ? "new " : "")token in \(path)")
    case .process(let token):
      let line = "operator: token \(token.text) (until this process ends)\n"
      try? FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
    }
  }

  private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}

extension ServeSettings {
  /// The operator's token for a request to the server of these settings, in plain text.
  ///
  /// - Parameter server: the address if another one is asked. The token of this machine's store is shown to this machine
  ///   only.
  /// - Returns: `nil` if only a digest is known, or nothing.
  /// - Throws: `OperatorTokenFile.Problem` if the store's file cannot be read.
  func operatorToken(for server: String?) throws(OperatorTokenFile.Problem) -> String? {
    if let operatorSecret { return operatorSecret }
    guard operatorToken == nil, case .folder(let store) = store, Self.isHere(server) else { return nil }
    return try OperatorTokenFile(store: store).read().flatMap { $0.hasPrefix(TokenDigest.prefix) ? nil : $0 }
  }

  private static func isHere(_ server: String?) -> Bool {
    guard let server else { return true }
    guard let host = URLComponents(string: server)?.host else { return false }
    return host == "localhost" || ["127.0.0.1", "::1", "[::1]"].contains(host)
  }
}
