import Media

/// A way to show a still camera's pictures on a page.
package enum Way: String, CaseIterable, Codable, Sendable {
  /// The camera's own JPEGs from a plain web server, requested again and again.
  case cameraPolling = "poll-camera"
  /// `latest.jpg` requested again and again, each time with a new name.
  case polling = "poll-latest"
  /// The same with one name, so that an unchanged picture costs a 304.
  case conditionalPolling = "poll-latest-304"
  /// The camera's JPEGs pushed in one endless answer (multipart/x-mixed-replace).
  case motionJPEG = "mjpeg"
  /// A server-sent event for each still, then `latest.jpg`.
  case events = "events-jpeg"
  /// Plain HLS by ffmpeg, MPEG-TS segments of 2 s.
  case plain2TS = "hls-2s-ts"
  /// Plain HLS by ffmpeg, fragmented MP4 segments of 2 s.
  case plain2MP4 = "hls-2s-fmp4"
  /// Plain HLS by ffmpeg, MPEG-TS segments of 6 s.
  case plain6TS = "hls-6s-ts"
  /// Plain HLS by ffmpeg, fragmented MP4 segments of 6 s.
  case plain6MP4 = "hls-6s-fmp4"
  /// Quietcam as hls.js plays it.
  case lowLatency = "ll-hls"
  /// Quietcam's parts requested by the names in hints, with no playlist in between.
  case hints = "ll-hls-hints"
  /// Quietcam as its element plays it, one open-ended answer a segment.
  case frames = "frames"
  /// Quietcam as hls.js plays it while the camera is off, style seamless.
  case offSeamless = "off-seamless"
  /// Quietcam as hls.js plays it while the camera is off, style cached.
  case offCached = "off-cached"
  /// Quietcam as its element plays it while the camera is off, style cached.
  case offCachedFrames = "off-cached-frames"

  /// Its name for people.
  package var title: String {
    switch self {
    case .cameraPolling: "polling, the camera's own JPEG"
    case .polling: "polling latest.jpg"
    case .conditionalPolling: "polling latest.jpg, with 304"
    case .motionJPEG: "Motion JPEG push"
    case .events: "events, then latest.jpg"
    case .plain2TS: "HLS 2 s, MPEG-TS (ffmpeg)"
    case .plain2MP4: "HLS 2 s, fMP4 (ffmpeg)"
    case .plain6TS: "HLS 6 s, MPEG-TS (ffmpeg)"
    case .plain6MP4: "HLS 6 s, fMP4 (ffmpeg)"
    case .lowLatency: "Quietcam, hls.js"
    case .hints: "Quietcam, parts by hint"
    case .frames: "Quietcam, the element"
    case .offSeamless: "Quietcam, camera off, seamless"
    case .offCached: "Quietcam, camera off, cached"
    case .offCachedFrames: "Quietcam, the element, off, cached"
    }
  }

  /// What a reader must know about it.
  package var note: String {
    switch self {
    case .cameraPolling:
      "the stills as pushed, from a web server with nginx's headers: the reference for all others"
    case .polling: "latest.jpg?TIME from Quietcam, re-encoded after masks"
    case .conditionalPolling: "fetch of latest.jpg with If-None-Match"
    case .motionJPEG: "multipart/x-mixed-replace with the stills as pushed"
    case .events: "EventSource on /CAMERA/events, latest.jpg?TIME after each still"
    case .plain2TS, .plain2MP4, .plain6TS, .plain6MP4:
      "the real ffmpeg from the same stills, the same CRF and preset, 2 pictures a second, nginx's headers, "
        + "gzipped playlists with ETag"
    case .lowLatency: "a blocking reload for each part, delta updates, each part once"
    case .hints: "one request for each part, held by the server until the part is there"
    case .frames: "one open-ended answer for each segment, which brings each part as it is published, and no playlist"
    case .offSeamless, .offCached, .offCachedFrames:
      "no stills come and a loop of the first of them plays; the viewer has seen all of it once, and the browser's cache "
        + "is at work"
    }
  }

  /// The family, for colours and order.
  package var family: String {
    switch self {
    case .cameraPolling, .polling, .conditionalPolling, .motionJPEG, .events: "JPEG"
    case .plain2TS, .plain2MP4, .plain6TS, .plain6MP4: "plain HLS"
    case .lowLatency, .hints, .frames: "Quietcam"
    case .offSeamless, .offCached, .offCachedFrames: "Quietcam, off"
    }
  }

  /// Whether it shows the stills that are pushed.
  package var isLive: Bool { family != "Quietcam, off" }
  /// Whether it requests at an interval of its own, so that how late it sees a still depends on when the still came.
  var isPolling: Bool { self == .cameraPolling || self == .polling || self == .conditionalPolling }
  /// Whether Quietcam's page shows it.
  var isOnOwnPage: Bool { family.hasPrefix("Quietcam") }
  /// Whether browsers need a library for it.
  var needsPlayer: Bool { family != "JPEG" && self != .frames && self != .offCachedFrames }
}

/// How a viewer watches in one way, until its task is cancelled or its connections are closed.
protocol Watching: Sendable {
  /// - Throws: what ended it; the viewer then starts again.
  func watch(_ tab: Tab) async throws
}
