import ArgumentParser
import Media

/// A length of time on the command line: `10m`, `90s`, `1h`, or bare seconds; a day at most.
struct Length: ExpressibleByArgument {
  let ticks: Ticks

  init(ticks: Ticks) { self.ticks = ticks }

  init?(argument: String) {
    guard let ticks = Ticks(length: argument), ticks > .zero else { return nil }
    self.ticks = ticks
  }

  var defaultValueDescription: String { "\(ticks.secondsText)s" }
}
