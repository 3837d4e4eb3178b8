import Access
import ArgumentParser
import Media

/// `quietcam token`: makes a secret for a camera, the operator, or links.
struct Token: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a token and print it once.",
    discussion: """
      The token goes to the camera, the line with its digest into the configuration: who reads the configuration can \
      push nothing with it. (With signature: optional or required the digest is what stills are signed with, so then \
      the configuration is as secret as the token.)
      """)

  @Option(help: ArgumentHelp("The camera that it is for; without one, the operator.", valueName: "name"))
  var camera: CameraName?

  func run() {
    let token = AccessToken()
    print("token, shown only now:\n\n  \(token.text)\n\nfor the configuration:\n")
    if let camera {
      print("cameras:\n  \(camera):\n    token: \(token.digest)")
    } else {
      print("operator-token: \(token.digest)")
    }
  }
}

extension CameraName: ExpressibleByArgument {
  /// Takes a name that keeps the rule.
  package init?(argument: String) { self.init(argument) }
}
