import Access
import Bucket
import Media
import Notify
import Origin
import Station

/// All settings of `quietcam serve`: the addresses, the store, and the cameras.
package struct ServeSettings: Sendable, Hashable {
  /// Where playlists and media are stored.
  package enum Store: Sendable, Hashable, CustomStringConvertible {
    /// In memory: everything is lost when the process ends.
    case memory
    /// A folder with one folder for each camera; it is created if it is missing.
    case folder(String)

    /// `memory` or the folder's path.
    package var description: String {
      switch self {
      case .memory: "memory"
      case .folder(let path): path
      }
    }
  }

  /// The address for viewers.
  package var publicAddress = ListenAddress(host: "127.0.0.1", port: 8080)
  /// The address for cameras and operators.
  package var privateAddress = ListenAddress(host: "127.0.0.1", port: 8081)
  /// The public address's certificate; both files are read again when they change.
  package var publicCertificate: CertificateFiles?
  /// The private address's certificate, in the same way.
  package var privateCertificate: CertificateFiles?
  /// Where media is stored.
  package var store = Store.folder("hls-out")
  /// The S3-compatible storage that cameras are copied to; `nil` for none.
  package var bucket: BucketSettings?
  /// For how many days the sums of visits are kept: 13 months. With 0 no visitors are counted.
  package var keepVisits = 396
  /// The proxies whose word on where a viewer comes from is taken.
  package var trustedProxies = TrustedProxies.thisMachine
  /// The cameras, those of the file first and in its order; at least one, each name once. With `isDemo` one of them
  /// is named `demo`.
  package var cameras: [CameraSettings] = []
  /// What the listeners know of each of them.
  package var doors: [CameraName: DoorSettings] = [:]
  /// The operator's token. With `nil`, `serve` makes one: in the store's folder, or in memory for as long as it runs.
  package var operatorToken: TokenDigest?
  /// The same token in plain text, for commands that send it to a server; `nil` if the configuration has only its
  /// digest.
  package var operatorSecret: String?
  /// The host names that the private address can be asked by, besides `localhost`, IP addresses, and its own name.
  package var privateHosts: [String] = []
  /// The key that signs links to private cameras; set if any camera is private.
  package var linkKey: LinkKey?
  /// Who hears of what happens; the secret is set if anybody does.
  package var notify = NotifySettings.none
  /// What other sites can do with pages and streams.
  package var site = SitePolicy()
  /// The most connections of viewers; `nil` for as many as the limit of open files allows.
  package var publicConnections: Int?
  /// The most connections of cameras and operators.
  package var privateConnections = 2048
  /// The most connections from one address to each listener; `nil` for the limits of `Connections.Limits`.
  package var connectionsPerAddress: Int?
  /// The most memory for all bodies being received, in MiB.
  package var uploadMegabytes = 256
  /// The most memory for what all cameras remember together, in MiB.
  package var rememberMegabytes = 64
  /// How long a client can send or read nothing in the middle of a request or an answer.
  package var patience = Ticks.seconds(30)
  /// The demo camera's token, which nobody else knows; set with `isDemo`.
  package var demoToken: AccessToken?
  /// Whether the camera named `demo` paints its own scene; the camera is added if it is missing.
  package var isDemo = false
  /// Whether the cameras are stepped down while the machine has too little room for them.
  package var stepsDown = true
  /// What is logged, and how it is written.
  package var log = LogSettings()

  /// The name of the camera that `isDemo` adds.
  package static let demoName = "demo"

  /// The defaults, without any camera.
  package init() {}

  /// Combines a file, the environment and the command line; the later one wins.
  ///
  /// A camera's settings from the environment or the command line apply to the camera named by `camera`, which is added
  /// if the file does not have it, or without `camera` to every camera. So a flag always wins, also over a line for one
  /// camera in the file.
  ///
  /// - Parameters:
  ///   - file: the path, for error messages, and the text of the YAML file; at most 1 MiB.
  ///   - environment: all variables; those that do not begin with `QUIETCAM_` are ignored, and so are
  ///     `QUIETCAM_CONFIG`, those that begin with `QUIETCAM_TEST_`, empty ones, and what `ServiceLinks` knows.
  ///   - flags: names without dashes and their texts; `config` is ignored.
  ///   - tokens: the secrets of the process.
  ///   - cameraFiles: returns the files of `cameras.d`, whose place may depend on the store. What they say of a camera
  ///     wins over the file, key by key.
  ///   - readFile: returns the text of the file at a path, for `token-file`.
  /// - Throws: all problems, not only the first.
  package static func load(
    file: (path: String, text: String)?, environment: [String: String], flags: [String: String],
    tokens: ProcessTokens = ProcessTokens(),
    cameraFiles: (ServeSettings.Store) throws -> [CameraFile] = { _ in [] }, readFile: (String) throws -> String
  ) throws(SettingsError) -> ServeSettings {
    var problems: [SettingsError.Problem] = []
    let fileLayer = file.map { FileLayer(path: $0.path, text: $0.text, problems: &problems) } ?? FileLayer()
    let environmentLayer = TextLayer(environment: environment, problems: &problems)
    let flagLayer = TextLayer(flags: flags, problems: &problems)
    var assembly = Assembly(
      file: fileLayer, texts: [environmentLayer, flagLayer], tokens: tokens, problems: problems)
    let settings = assembly.settings(path: file?.path, cameraFiles: cameraFiles, readFile: readFile)
    guard assembly.problems.isEmpty else { throw SettingsError(assembly.problems) }
    return settings
  }
}
