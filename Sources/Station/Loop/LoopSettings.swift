import Foundation
import Media
import NIOCore
import Packager
import Picture

/// All settings that a loop's pictures depend on, by name: two loops with equal settings can replace each other, and
/// one with others must not be shown.
///
/// The part length is among them, because new pictures show at the start of parts.
package struct LoopSettings: Hashable, Sendable {
  /// The values as texts; of crop and masks a fingerprint.
  package let values: [String: String]

  /// Those that change what is seen of a picture, before encoding.
  private static let ofPicture = ["blur", "crop", "denoise", "gray", "masks"]

  /// Those of a camera.
  package init(_ settings: CameraSettings) {
    let (picture, encoder, timeline) = (settings.picture, settings.encoder, settings.timeline)
    values = [
      "size": "\(picture.size)", "fit": picture.fit.rawValue, "gray": "\(picture.isGray)", "blur": "\(picture.blur)",
      "denoise": "\(picture.denoise)",
      "crop": picture.crop.map { Self.fingerprint([$0.corners]) } ?? "none",
      "masks": picture.masks.isEmpty ? "none" : Self.fingerprint(picture.masks.map(\.corners)),
      "preset": encoder.preset.rawValue, "crf": "\(encoder.crf)", "ssim": "\(encoder.ssim)",
      "references": "\(encoder.references)",
      "max-kilobits": "\(encoder.kilobits(for: picture.size))",
      "rate": "\(Ticks.perSecond / timeline.step.count)", "part": timeline.part.secondsText,
      "segment": timeline.segment.secondsText, "latest-quality": "\(settings.latestQuality)",
    ]
  }

  /// Those of an earlier text.
  package init(values: [String: String]) { self.values = values }

  /// Those in the JSON of `json`; `nil` if it is none.
  package init?(json: String) {
    guard let values = try? JSONDecoder().decode([String: String].self, from: Data(json.utf8)) else { return nil }
    self.values = values
  }

  /// The differences to the current settings, for people: `crf 28, now 30; masks`.
  package func differences(from current: LoopSettings) -> String {
    differing(from: current).map { key in
      guard key != "masks", key != "crop", let before = values[key], let now = current.values[key] else { return key }
      return "\(key) \(before), now \(now)"
    }.joined(separator: "; ")
  }

  /// The different settings that change what is seen: crop, masks and the like.
  package func differencesOfPicture(from current: LoopSettings) -> [String] {
    differing(from: current).filter(Self.ofPicture.contains)
  }

  /// The values as one line of JSON with sorted keys, for a header.
  package var json: String {
    "{" + values.sorted { $0.key < $1.key }.map { "\($0.key.jsonQuoted):\($0.value.jsonQuoted)" }.joined(separator: ",")
      + "}"
  }

  private func differing(from current: LoopSettings) -> [String] {
    Set(values.keys).union(current.values.keys).filter { key in
      // Loops of earlier versions do not say with which similarity they were made.
      values[key] != current.values[key] && !(key == "ssim" && values[key] == nil)
    }.sorted()
  }

  private static func fingerprint(_ polygons: [[UnitPoint]]) -> String {
    ByteBuffer(
      string: polygons.map { $0.map { "\($0.x),\($0.y)" }.joined(separator: " ") }.joined(separator: ";")
    ).fingerprint
  }
}
