import Access
import Media
import Origin
import Station

/// All that `quietcam serve` is told: the addresses, the store, and the cameras.
package struct ServeSettings: Sendable, Hashable {
  /// Where playlists and media are kept.
  package enum Store: Sendable, Hashable, CustomStringConvertible {
    /// Nowhere: everything is gone when the process ends.
    case memory
    /// A folder with one folder for each camera; it is created where it is missing.
    case folder(String)

    /// `memory` or the folder's path.
    package var description: String {
      switch self {
      case .memory: "memory"
      case .folder(let path): path
      }
    }
  }

  /// How much is logged; the names are those of swift-log but for its `critical`.
  package enum LogLevel: String, Sendable, CaseIterable {
    /// From everything to nothing but errors.
    case trace, debug, info, notice, warning, error
  }

  /// Where viewers come in.
  package var publicAddress = ListenAddress(host: "127.0.0.1", port: 8080)
  /// Where cameras and operators come in.
  package var privateAddress = ListenAddress(host: "127.0.0.1", port: 8081)
  /// The public address's certificate; both files are read anew when they change.
  package var publicCertificate: CertificateFiles?
  /// The private address's certificate, likewise.
  package var privateCertificate: CertificateFiles?
  /// Where media is kept.
  package var store = Store.folder("hls-out")
  /// The cameras, those of the file first and in its order; at least one, each name once. With `isDemo` one of them
  /// is named `demo`.
  package var cameras: [CameraSettings] = []
  /// What operators show; `nil` lets whoever reaches the private address read, and nobody switch.
  package var operatorToken: TokenDigest?
  /// The same as it is shown, for commands that ask a server; `nil` where the configuration has its digest only.
  package var operatorSecret: String?
  /// What links to private cameras are made with; there if any camera is private.
  package var linkKey: LinkKey?
  /// What other sites may do with pages and streams.
  package var site = SitePolicy()
  /// The most connections of viewers; `nil` for as many as the open files allow.
  package var publicConnections: Int?
  /// The most connections of cameras and operators.
  package var privateConnections = 2048
  /// The most connections from one address at each door; `nil` for the limits of `Connections.Limits`.
  package var connectionsPerAddress: Int?
  /// The most mebibytes of all bodies on their way in.
  package var uploadMegabytes = 256
  /// How long a client may be silent in the middle of a request or an answer.
  package var patience = Ticks.seconds(30)
  /// The token that the demo camera shows, which nobody else knows; there with `isDemo`.
  package var demoToken: AccessToken?
  /// Whether the camera named `demo` paints its own scene; that camera is added where none has the name.
  package var isDemo = false
  /// How much is logged.
  package var logLevel = LogLevel.info

  /// The name of the camera that `isDemo` adds.
  package static let demoName = "demo"

  /// The defaults, without any camera.
  package init() {}

  /// Puts a file, the environment and the command line together; each wins over the ones before it.
  ///
  /// Settings of a camera that come from the environment or the command line go to the camera named by `camera`,
  /// which is added where the file has none of that name, or without `camera` to every camera. So a flag always wins,
  /// over a camera's own line in the file too.
  ///
  /// - Parameters:
  ///   - file: the path, for error messages, and the text of the YAML file; at most 1 MiB.
  ///   - environment: all variables; those that do not begin with `QUIETCAM_` are ignored, and so are
  ///     `QUIETCAM_CONFIG` and those that begin with `QUIETCAM_TEST_`.
  ///   - flags: names without dashes and their texts; `config` is ignored.
  ///   - readFile: returns the text of the file at a path, for `token-file`.
  /// - Throws: every problem there is, not only the first.
  package static func load(
    file: (path: String, text: String)?, environment: [String: String], flags: [String: String],
    readFile: (String) throws -> String
  ) throws(SettingsError) -> ServeSettings {
    var problems: [SettingsError.Problem] = []
    let fileLayer = file.map { FileLayer(path: $0.path, text: $0.text, problems: &problems) } ?? FileLayer()
    let environmentLayer = TextLayer(environment: environment, problems: &problems)
    let flagLayer = TextLayer(flags: flags, problems: &problems)
    var assembly = Assembly(file: fileLayer, texts: [environmentLayer, flagLayer], problems: problems)
    let settings = assembly.settings(path: file?.path, readFile: readFile)
    guard assembly.problems.isEmpty else { throw SettingsError(assembly.problems) }
    return settings
  }
}
