import NIOCore
import Playlist

/// Checks a multivariant playlist against H14 and P1.
enum VariantRules {
  /// Reads a multivariant playlist; the playlist is `nil` if its form is broken.
  static func read(_ bytes: [UInt8], url: String) -> (MultivariantPlaylist?, Verdicts) {
    var verdicts = Verdicts()
    verdicts.judge(.form, .variant)
    do throws(PlaylistError) {
      let playlist = try MultivariantPlaylist.parse(ByteBuffer(bytes: bytes))
      for variant in playlist.variants { judge(variant, url: url, &verdicts) }
      return (playlist, verdicts)
    } catch {
      verdicts.add(
        Finding(
          .form, "\(error.tag): \(error.reason)", url: url, place: "line \(error.line)", section: error.section))
      return (nil, verdicts)
    }
  }

  private static func judge(_ variant: MultivariantPlaylist.Variant, url: String, _ verdicts: inout Verdicts) {
    func find(_ message: String, _ severity: Rule.Severity = .should, section: String = "4.4.6.2") {
      verdicts.add(
        Finding(.variant, message, url: url, place: variant.uri, severity: severity, section: section))
    }
    if variant.bandwidth == 0 { find("BANDWIDTH is 0", .must) }
    if variant.codecs == nil { find("CODECS is missing", section: "4.4.6.2; Apple 9.1") }
    let isVideo = variant.codecs.map { $0.contains("avc") || $0.contains("hvc") || $0.contains("hev") } ?? true
    if isVideo, variant.resolution == nil { find("RESOLUTION is missing", section: "4.4.6.2; Apple 9.1") }
    if isVideo, variant.frameRate == nil { find("FRAME-RATE is missing", section: "4.4.6.2; Apple 9.1") }
    guard let average = variant.averageBandwidth else {
      return find("AVERAGE-BANDWIDTH is missing", section: "4.4.6.2; Apple 9.1")
    }
    if average > variant.bandwidth {
      find("AVERAGE-BANDWIDTH=\(average) is more than BANDWIDTH=\(variant.bandwidth)", .must)
    }
  }
}
