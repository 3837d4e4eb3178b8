import Media
import NIOCore
import Packager
import Picture
import Station

/// The last two stages alone: packages pictures and publishes parts of a camera without viewers.
struct PublishBench {
  private var publisher: StreamPublisher

  init(size: PictureSize, encoder: EncoderSettings, timeline: TimelineSettings, parameterSets: ParameterSets) {
    guard let name = CameraName("bench") else { preconditionFailure("bench is a camera's name") }
    var settings = CameraSettings(name: name, timeline: timeline)
    (settings.picture.size, settings.encoder) = (size, encoder)
    publisher = StreamPublisher(
      camera: Camera(settings: settings, clock: .system()), parameterSets: parameterSets, mirror: nil,
      recovery: .fresh(now: .now), lead: .zero, wall: .now)
  }

  var isAtSegmentStart: Bool { publisher.isAtSegmentStart }

  /// One slot: the part's bytes and the time of both stages.
  mutating func append(_ pictures: [CodedPicture]) -> (bytes: Int, package: Int64, publish: Int64) {
    let start = CPUTime.thread
    let appended = publisher.append(pictures, wall: .now)
    let packaged = CPUTime.thread
    publisher.publish()
    return (appended.part, packaged - start, CPUTime.thread - packaged)
  }
}
