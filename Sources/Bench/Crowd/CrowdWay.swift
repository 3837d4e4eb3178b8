/// How the viewers of `quietcam bench viewers` watch.
package enum CrowdWay: String, CaseIterable, Sendable {
  /// A blocking reload, then the parts that it lists.
  case lowLatency = "low-latency"
  /// The playlist once a target duration, and whole segments.
  case plain
  /// One answer for each segment while it is made, as Quietcam's element does.
  case frames
  /// The events, and each photo that they announce, as Quietcam's photo frame does.
  case photos
  /// `latest.jpg` every two seconds.
  case polling

  /// What it is, for the head of the result.
  var text: String {
    switch self {
    case .lowLatency: "low-latency viewers (a blocking reload, then the part)"
    case .plain: "viewers of whole segments (the playlist once a target duration)"
    case .frames: "viewers by frames (one answer for each segment, while it is made)"
    case .photos: "viewers of photos (the events, and each photo that they announce)"
    case .polling: "viewers that poll latest.jpg every 2 s"
    }
  }
}
