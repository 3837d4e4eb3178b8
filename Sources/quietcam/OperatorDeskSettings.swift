import Access
import ArgumentParser
import Foundation
import Origin
import Records
import Settings
import Station

extension OperatorDesk {
  /// What the operator's page needs, as these settings say.
  ///
  /// - Throws: which file of the store cannot be read.
  init(_ settings: ServeSettings, records: Records, cameras: @escaping @Sendable () -> [Camera], web: WebAssets) throws
  {
    var folder: String?
    if case .folder(let path) = settings.store {
      folder = path
      // The cameras make their own folders in it later.
      try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    let tokens: AddedTokens
    do { tokens = try AddedTokens(path: folder.map { "\($0)/\(AddedTokens.fileName)" }) } catch {
      throw ValidationError(error.description)
    }
    self.init(
      tokens: tokens, records: records, watch: StationWatch(folder: folder, cameras: cameras), web: web,
      outside: Outside(
        base: settings.site.baseURL, host: settings.publicAddress.host,
        isSecure: settings.publicCertificate != nil),
      linkKey: settings.linkKey)
  }
}
