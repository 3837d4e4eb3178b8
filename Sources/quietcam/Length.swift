import ArgumentParser
import Media

/// A length of time on the command line: `10m`, `90s`, `1h`, or bare seconds; a day at most.
struct Length: ExpressibleByArgument {
  let ticks: Ticks

  init(ticks: Ticks) { self.ticks = ticks }

  init?(argument: String) {
    let factors: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
    let factor = argument.last.flatMap { factors[$0] }
    guard let number = Ticks(seconds: factor == nil ? argument[...] : argument.dropLast()) else { return nil }
    let ticks = number * (factor ?? 1)
    guard ticks > .zero, ticks <= .seconds(86_400) else { return nil }
    self.ticks = ticks
  }

  var defaultValueDescription: String { "\(ticks.secondsText)s" }
}
