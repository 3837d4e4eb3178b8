import ArgumentParser
import Media

/// The program and its commands.
@main
struct Quietcam: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quietcam",
    abstract: "Turns the stills that a camera pushes into a live HLS stream for web pages.",
    discussion: """
      A camera, or `quietcam push`, sends JPEGs to the private address. Browsers play the stream at the public one.

        quietcam serve --demo                      a picture at http://127.0.0.1:8080/ at once
        quietcam serve --camera desk --token SECRET
        quietcam push photos/ --to http://127.0.0.1:8081/ingest/desk --token SECRET
      """,
    version: ProgramVersion.text,
    subcommands: [
      Serve.self, Push.self, LoopCommand.self, Token.self, Link.self, Visits.self, NotifyCommand.self,
      CheckCommand.self, Bench.self,
      Paint.self,
    ])
}
