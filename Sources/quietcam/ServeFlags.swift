import ArgumentParser
import Settings

/// The flags of `quietcam serve`: one for each setting, with the help texts of the table of settings.
struct ServeFlags: ParsableArguments {
  @Option(help: .setting("public")) var `public`: String?
  @Option(help: .setting("private")) var `private`: String?
  @Option(help: .setting("public-certificate")) var publicCertificate: String?
  @Option(help: .setting("public-key")) var publicKey: String?
  @Option(help: .setting("private-certificate")) var privateCertificate: String?
  @Option(help: .setting("private-key")) var privateKey: String?
  @Option(help: .setting("store")) var store: String?
  @Option(help: .setting("bucket")) var bucket: String?
  @Option(help: .setting("bucket-endpoint")) var bucketEndpoint: String?
  @Option(help: .setting("bucket-region")) var bucketRegion: String?
  @Option(help: .setting("bucket-style")) var bucketStyle: String?
  @Option(help: .setting("bucket-key")) var bucketKey: String?
  @Option(help: .setting("bucket-key-file")) var bucketKeyFile: String?
  @Option(help: .setting("keep-visits")) var keepVisits: String?
  @Option(help: .setting("operator-token")) var operatorToken: String?
  @Option(help: .setting("operator-token-file")) var operatorTokenFile: String?
  @Option(help: .setting("private-hosts")) var privateHosts: String?
  @Option(help: .setting("link-key")) var linkKey: String?
  @Option(help: .setting("link-key-file")) var linkKeyFile: String?
  @Option(help: .setting("notify")) var notify: String?
  @Option(help: .setting("notify-secret")) var notifySecret: String?
  @Option(help: .setting("notify-secret-file")) var notifySecretFile: String?
  @Option(help: .setting("allow-origin")) var allowOrigin: String?
  @Option(help: .setting("base-url")) var baseUrl: String?
  @Option(help: .setting("site-title")) var siteTitle: String?
  @Option(help: .setting("favicon")) var favicon: String?
  @Option(help: .setting("embed")) var embed: String?
  @Option(help: .setting("trusted-proxies")) var trustedProxies: String?
  @Option(help: .setting("step-down")) var stepDown: String?
  @Option(help: .setting("public-connections")) var publicConnections: String?
  @Option(help: .setting("private-connections")) var privateConnections: String?
  @Option(help: .setting("connections-per-address")) var connectionsPerAddress: String?
  @Option(help: .setting("upload-megabytes")) var uploadMegabytes: String?
  @Option(help: .setting("remember-megabytes")) var rememberMegabytes: String?
  @Option(help: .setting("patience")) var patience: String?
  @Option(help: .setting("log")) var log: String?
  @Flag(help: "Add a camera named demo that paints its own scene.") var demo = false
  @Option(help: .setting("camera")) var camera: String?
  @Option(help: .setting("token")) var token: String?
  @Option(help: .setting("token-file")) var tokenFile: String?
  @Option(help: .setting("signature")) var signature: String?
  @Option(help: .setting("access")) var access: String?
  @Option(help: .setting("bucket-copy")) var bucketCopy: String?
  @Option(help: .setting("title")) var title: String?
  @Option(help: .setting("photo-size")) var photoSize: String?
  @Option(help: .setting("keep-photos")) var keepPhotos: String?
  @Option(help: .setting("size")) var size: String?
  @Option(help: .setting("fit")) var fit: String?
  @Option(help: .setting("gray")) var gray: String?
  @Option(help: .setting("blur")) var blur: String?
  @Option(help: .setting("denoise")) var denoise: String?
  @Option(help: .setting("max-pixels")) var maxPixels: String?
  @Option(help: .setting("preset")) var preset: String?
  @Option(help: .setting("crf")) var crf: String?
  @Option(help: .setting("ssim")) var ssim: String?
  @Option(help: .setting("references")) var references: String?
  @Option(help: .setting("max-kilobits")) var maxKilobits: String?
  @Option(help: .setting("rate")) var rate: String?
  @Option(help: .setting("part")) var part: String?
  @Option(help: .setting("segment")) var segment: String?
  @Option(help: .setting("window")) var window: String?
  @Option(help: .setting("plain-segment")) var plainSegment: String?
  @Option(help: .setting("latest-quality")) var latestQuality: String?
  @Option(help: .setting("max-still-bytes")) var maxStillBytes: String?
  @Option(help: .setting("still-choice")) var stillChoice: String?
  @Option(help: .setting("interval")) var interval: String?
  @Option(help: .setting("max-rate")) var maxRate: String?
  @Option(help: .setting("hold")) var hold: String?
  @Option(help: .setting("steady")) var steady: String?
  @Option(help: .setting("off")) var off: String?
  @Option(help: .setting("hours")) var hours: String?
  @Option(help: .setting("veil-every")) var veilEvery: String?
  @Option(help: .setting("veil-for")) var veilFor: String?
  @Option(help: .setting("delay")) var delay: String?
  @Option(help: .setting("mark-recorded")) var markRecorded: String?
  @Option(help: .setting("remember")) var remember: String?
  @Option(help: .setting("folder")) var folder: String?
  @Option(help: .setting("folder-scan")) var folderScan: String?
  @Option(help: .setting("at-once")) var atOnce: String?

  /// The flags that were given, by the keys of the settings: each property has the name of its key.
  var given: [String: String] {
    var given = demo ? ["demo": "true"] : [:]
    for child in Mirror(reflecting: self).children {
      guard let option = child.value as? Option<String?>, let name = child.label else { continue }
      given[Self.key(of: name)] = option.wrappedValue
    }
    return given
  }

  /// `max-kilobits` for the stored property `_maxKilobits`.
  private static func key(of name: String) -> String {
    name.drop { $0 == "_" }.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
  }
}

extension ArgumentHelp {
  /// The help of a setting: what it does, what is accepted, and the default.
  static func setting(_ key: String) -> ArgumentHelp {
    guard let setting = Setting.named(key) else { preconditionFailure("the settings' table has no key \(key)") }
    let accepted = setting.accepted.isEmpty ? "" : " Accepted: \(setting.accepted)."
    return ArgumentHelp(
      "\(setting.help).\(accepted) (default: \(setting.defaultText))", valueName: setting.valueName.lowercased())
  }
}
