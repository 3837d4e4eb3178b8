import Media
import Packager
import Picture
import Station

extension CameraSettings {
  /// Settings of a camera `desk`, whose small pictures are coded fast and not denoised.
  ///
  /// - Parameters:
  ///   - rate: pictures a second.
  ///   - hold: how long the last picture is held; `nil` for ever.
  ///   - steady: how long stills must keep coming before an off camera is on.
  package static func sample(
    size: PictureSize = PictureSize(width: 160, height: 120), rate: Int64 = 2, part: Ticks = .seconds(1),
    segment: Ticks = .seconds(4), plainSegment: Ticks = .seconds(1), hold: Ticks? = .seconds(30),
    steady: Ticks = .seconds(4)
  ) throws -> CameraSettings {
    var settings = CameraSettings(
      name: sampleName,
      timeline: try TimelineSettings(rate: rate, part: part, segment: segment, plainSegment: plainSegment))
    settings.picture = PictureSettings(size: size, denoise: 0)
    settings.encoder = EncoderSettings(preset: .ultrafast)
    settings.presence = CameraPresence.Settings(hold: hold, steady: steady)
    return settings
  }

  /// The settings that a camera `desk` has where nothing is configured.
  package static func standardSample() -> CameraSettings { CameraSettings(name: sampleName) }

  private static var sampleName: CameraName {
    guard let name = CameraName("desk") else { preconditionFailure("desk is a name") }
    return name
  }
}
