import Access
import ArgumentParser
import Media

/// `quietcam token`: makes a secret for a camera, the operator, or links.
struct Token: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make a token and print it once.",
    discussion: """
      Give the token to the camera, and put the line with its digest into the configuration. The digest cannot be used \
      to push stills. (With signature: optional or required, stills are signed with the digest, so keep the \
      configuration as secret as the token.)
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
