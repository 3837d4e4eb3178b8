import Access
import ArgumentParser
import Foundation
import Media
import Origin
import Settings
import Station

/// `quietcam link`: makes an address at which a private camera can be seen for some time.
struct Link: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a link to a camera with access: signed.",
    discussion: """
      The link is signed with link-key, from the same configuration as `serve`, and ends at a whole hour (a whole \
      minute, if it is for less than an hour), so that all links of one hour are the same, and a cache keeps one copy \
      for all. Nothing is stored: a link ends by itself, and all links end when link-key changes.
      """)

  @Option(help: ArgumentHelp("The YAML file that the server has.", valueName: "file")) var config: String?
  @Option(help: .setting("link-key")) var linkKey: String?
  @Option(help: .setting("link-key-file")) var linkKeyFile: String?
  @Option(help: ArgumentHelp("The camera.", valueName: "name")) var camera: CameraName
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long it is valid at least: 30m, 24h, 7d.", valueName: "duration")) var duration = LinkTime(
      seconds: 86_400)
  @Option(
    help: ArgumentHelp("The address of the server for viewers, such as https://cam.example.org.", valueName: "url"))
  var base: String?

  func run() throws {
    var flags = ["camera": camera.text]
    if let linkKey { flags["link-key"] = linkKey }
    if let linkKeyFile { flags["link-key-file"] = linkKeyFile }
    if config == nil, ProcessInfo.processInfo.environment["QUIETCAM_CONFIG"] == nil {
      // Only the key matters, but a camera needs a token.
      flags["token"] = AccessToken().text
      flags["access"] = "signed"
    }
    let settings = try ServeSettings.load(config: config, flags: flags)
    guard settings.doors[camera]?.access == .signed, let key = settings.linkKey
    else { throw ValidationError("camera \(camera) has not access: signed, so everyone sees it without a link") }
    let expiry = ViewerLink.expiry(after: duration.seconds, from: WallTime.now.milliseconds / 1000)
    let link = ViewerLink(camera: camera, expiry: expiry, key: key)
    let scheme = settings.publicCertificate == nil ? "http" : "https"
    var root = base ?? "\(scheme)://\(settings.publicAddress)"
    while root.hasSuffix("/") { root.removeLast() }
    print("\(root)/\(camera)/\(link)/")
  }
}

/// How long a link is valid: a whole number of seconds, minutes, hours or days.
struct LinkTime: ExpressibleByArgument {
  let seconds: Int64

  init(seconds: Int64) { self.seconds = seconds }

  init?(argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
      (1...366 * 86_400 / unit).contains(count)
    else { return nil }
    seconds = count * unit
  }

  var defaultValueDescription: String { seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s" }
}
