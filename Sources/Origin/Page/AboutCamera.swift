import Foundation
import Media
import NIOCore
import Packager
import Picture
import Station

/// What a page needs to know about a camera before it shows its picture. It depends only on settings, so it says
/// nothing about what is shown.
struct AboutCamera: Encodable {
  let camera: String
  let title: String
  let width: Int
  let height: Int
  let partMilliseconds: Int64
  let segmentMilliseconds: Int64
  let keepsPhotos: Bool
  /// The largest size of photos; left out if they have the stream's size.
  let photoSize: String?
  /// Whether events say that the loop is shown.
  let marksRecorded: Bool
  let takesWaves: Bool

  enum CodingKeys: String, CodingKey {
    case camera, title, width, height
    case partMilliseconds = "part_ms"
    case segmentMilliseconds = "segment_ms"
    case keepsPhotos = "photos"
    case photoSize = "photo_size"
    case marksRecorded = "mark_recorded"
    case takesWaves = "wave"
  }

  init(_ settings: CameraSettings) {
    camera = settings.name.text
    title = settings.title ?? settings.name.text
    (width, height) = (settings.picture.size.width, settings.picture.size.height)
    partMilliseconds = settings.timeline.part.milliseconds
    segmentMilliseconds = settings.timeline.segment.milliseconds
    keepsPhotos = settings.keepPhotos > 0
    photoSize = settings.photoSize?.description
    marksRecorded = settings.marksRecorded
    takesWaves = true
  }

  /// The same in the form in which it is served.
  var encoded: EncodedText {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers of these types always encode.
    let bytes = ByteBuffer(bytes: (try? encoder.encode(self)) ?? Data())
    return EncodedText(bytes, etag: bytes.fingerprint)
  }
}
