/// How far a server is stepped down because its machine has too little room for its cameras: 0 for not at all, and more
/// for less work at each still.
///
/// The first steps take faster presets, so that viewers get about the same quality in more bytes; then fewer references;
/// the last ones fewer pictures. A part always comes at its time.
package struct LoadLevel: Hashable, Comparable, Sendable {
  private struct Step {
    var preset = EncoderSettings.Preset.veryslow
    var references = 16
    /// A part has this many new pictures at most, and `shown` of `parts` parts have any.
    var pictures = Int.max
    var shown = 1
    var parts = 1
  }

  private static let steps = [
    Step(),
    Step(preset: .medium),
    Step(preset: .faster),
    Step(preset: .veryfast),
    Step(preset: .veryfast, references: 1),
    Step(preset: .superfast, references: 1),
    Step(preset: .superfast, references: 1, pictures: 1),
    Step(preset: .superfast, references: 1, pictures: 1, shown: 2, parts: 3),
    Step(preset: .superfast, references: 1, pictures: 1, parts: 2),
    Step(preset: .superfast, references: 1, pictures: 1, parts: 4),
  ]

  /// From 0 to `lowest`.
  package let index: Int

  /// The cameras' own settings.
  package static let full = LoadLevel(index: 0)
  /// The least work.
  package static let lowest = LoadLevel(index: steps.count - 1)
  /// All levels, from the most work to the least.
  package static let all = steps.indices.map { LoadLevel(index: $0) }

  private init(index: Int) { self.index = index }

  private var step: Step { Self.steps[index] }

  /// The level with one step less work; itself where there is none.
  package var down: LoadLevel { self == .lowest ? self : LoadLevel(index: index + 1) }
  /// The level with one step more work; itself where there is none.
  package var up: LoadLevel { self == .full ? self : LoadLevel(index: index - 1) }

  /// Orders levels, more work first.
  package static func < (left: LoadLevel, right: LoadLevel) -> Bool { left.index < right.index }

  /// A camera's settings at this level: nothing takes more work than in its own.
  package func settings(for own: EncoderSettings) -> EncoderSettings {
    var settings = own
    settings.preset = min(own.preset, step.preset)
    if step.references < own.references { settings.searched = step.references }
    return settings
  }

  /// How many new pictures a part can have.
  package var picturesPerPart: Int { step.pictures }
  /// New pictures come in `shown` of `parts` parts.
  package var share: (shown: Int, parts: Int) { (step.shown, step.parts) }

  /// What a still costs a camera at this level, in hundredths of a millisecond on the machine that it was measured on, at
  /// 640x480. Only the relations between levels are used.
  package func cost(for own: EncoderSettings) -> Int {
    let settings = settings(for: own)
    let references = min(9, settings.searched ?? settings.references)
    let (few, many) = Self.costs(settings.preset)
    let whole = few + (many - few) * (references - 1) / 8
    // A part without a new picture costs some work too.
    return (whole * step.shown + 100 * (step.parts - step.shown)) / step.parts
  }

  /// The cost with one reference, and with nine.
  private static func costs(_ preset: EncoderSettings.Preset) -> (few: Int, many: Int) {
    switch preset {
    case .ultrafast: (810, 870)
    case .superfast: (860, 1000)
    case .veryfast: (970, 1150)
    case .faster: (1090, 1300)
    case .fast: (1270, 1800)
    case .medium: (1290, 1800)
    case .slow: (1340, 1880)
    case .slower: (1700, 2600)
    case .veryslow: (2000, 3500)
    }
  }
}

extension LoadLevel: CustomStringConvertible {
  /// What it means, for people: `preset veryfast, 1 reference`.
  package var description: String {
    guard self != .full else { return "the cameras' own settings" }
    let references = step.references > 9 ? "" : ", \(step.references) reference\(step.references == 1 ? "" : "s")"
    let pictures =
      step.pictures == .max
      ? "" : step.parts == 1 ? ", a picture in each part" : ", pictures in \(step.shown) of \(step.parts) parts"
    return "preset \(step.preset.rawValue)\(references)\(pictures)"
  }
}

extension EncoderSettings.Preset: Comparable {
  /// Orders presets, the least work first.
  package static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}
