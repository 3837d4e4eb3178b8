import Media

/// What a slot of one camera takes of a processor, in the mean of its last slots.
///
/// It tells what the camera needs for good. Work that comes once, as an encoder that is opened, is no part of it, and
/// neither are slots whose stills were put off because the machine had no time.
struct SlotWork: Hashable, Sendable {
  /// What a slot was.
  enum Kind: Hashable, Sendable {
    /// One as all others.
    case usual
    /// One that opened an encoder.
    case opening
    /// One whose stills were put off because its work began late.
    case putOff
  }

  /// How many slots count.
  private static let window: Int64 = 8

  private var mean = Ticks.zero
  private var count: Int64 = 0
  private var level = LoadLevel.full

  /// Of no slot yet.
  init() {}

  /// The mean; `nil` before there was a usual slot.
  var value: Ticks? { count > 0 ? mean : nil }

  /// Notes a slot.
  ///
  /// - Parameters:
  ///   - coded: how far the camera's encoder is stepped down after it; `nil` without an encoder.
  ///   - own: the camera's own settings.
  mutating func note(_ took: Ticks, _ kind: Kind, coded: LoadLevel?, own: EncoderSettings) {
    guard let coded else { return self = SlotWork() }
    if coded != level {
      // The first slots at another level are few, so what the others took counts on in proportion.
      let (before, now) = (Int64(level.cost(for: own)), Int64(coded.cost(for: own)))
      mean = Ticks(mean.count * now / max(1, before))
      level = coded
    }
    guard kind == .usual else { return }
    count = min(count + 1, Self.window)
    mean = mean + Ticks((took - mean).count / count)
  }
}

/// What one camera takes of the encode threads.
package struct CameraWork: Hashable, Sendable {
  /// Its own settings.
  package var settings: EncoderSettings
  /// How far its encoder is stepped down now.
  package var level: LoadLevel
  /// The length of its slots.
  package var part: Ticks
  /// The processor time of a slot, in the mean; `nil` where it is not known yet.
  package var slot: Ticks?

  /// The work of a camera.
  package init(settings: EncoderSettings, level: LoadLevel, part: Ticks, slot: Ticks?) {
    (self.settings, self.level, self.part, self.slot) = (settings, level, part, slot)
  }
}
