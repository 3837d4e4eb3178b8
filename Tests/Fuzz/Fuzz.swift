import ArgumentParser

/// Feeds damaged bytes to what reads foreign ones. Built with `--sanitize address` a wrong access ends it (`make fuzz`).
///
/// Each case follows from its number alone, so a case that failed is run again by `--first NUMBER --count 1`.
@main struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz", abstract: "Feed damaged bytes to what reads foreign ones.",
    subcommands: [PictureFuzz.self, BodyFuzz.self])
}

/// Which cases to run.
struct Cases: ParsableArguments {
  @Option(help: "The number of the first case.") var first = 0
  @Option(help: "How many cases.") var count = 10_000
  @Option(help: "A folder of JPEGs to begin from.") var corpus: String
  @Option(help: "A file that is told the number of each case before it runs.") var progress: String?
}
