import Media
import NIOCore
import Playlist

/// A media playlist that was read as strictly as the specification requires, and used as leniently as players do.
///
/// What breaks the form is a finding. The line is then left out and reading continues, so that one wrong line does not
/// hide others.
struct PlaylistReading: Sendable {
  /// The playlist; `nil` if it could not be read.
  let playlist: MediaPlaylist?
  /// What is wrong with its form, and the parser's warnings.
  let verdicts: Verdicts
  /// Whether EXT-X-DISCONTINUITY-SEQUENCE is there.
  let countsDiscontinuities: Bool
  /// Whether media are encrypted, so that nothing can be read in them.
  let isEncrypted: Bool

  /// How many lines are left out before the playlist counts as unreadable.
  private static let repairs = 24

  /// Reads the bytes from `url`.
  init(_ bytes: [UInt8], url: String) {
    var text = bytes
    var verdicts = Verdicts()
    var warnings: [PlaylistError] = []
    var playlist: MediaPlaylist?
    verdicts.judge(.form)
    if text.starts(with: [0xEF, 0xBB, 0xBF]) {
      verdicts.add(Finding(.form, "it begins with a byte order mark", url: url, place: "line 1", section: "4.1"))
      text.removeFirst(3)
    }
    for _ in 0..<Self.repairs {
      do throws(PlaylistError) {
        warnings = []
        playlist = try MediaPlaylist.parse(ByteBuffer(bytes: text), warnings: &warnings)
        break
      } catch {
        verdicts.add(Self.finding(error, url: url))
        guard let mended = Self.mend(text, error) else { break }
        text = mended
      }
    }
    if playlist != nil { verdicts.judge(.liveness) }
    // A version that was corrected here says nothing.
    let isMended = verdicts.findings.contains { $0.section == "8" }
    for warning in warnings where warning.tag == "EXT-X-VERSION" && !isMended {
      verdicts.add(
        Finding(
          .liveness, warning.reason, url: url, place: "line \(warning.line)", severity: .should,
          section: warning.section))
    }
    countsDiscontinuities = !warnings.contains { $0.tag == "EXT-X-DISCONTINUITY-SEQUENCE" }
    isEncrypted = bytes.split(separator: UInt8(ascii: "\n")).contains {
      $0.starts(with: "#EXT-X-KEY:".utf8) && !$0.starts(with: "#EXT-X-KEY:METHOD=NONE".utf8)
    }
    Self.judgeOrder(text, url: url, &verdicts)
    self.playlist = playlist
    self.verdicts = verdicts
  }

  /// Discontinuity, then the map, then the parts of the segment (H8): players apply each tag to what follows it.
  private static func judgeOrder(_ text: [UInt8], url: String, _ verdicts: inout Verdicts) {
    var hasParts = false
    for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      if line.starts(with: "#EXT-X-PART:".utf8) {
        hasParts = true
      } else if let first = line.first, first != UInt8(ascii: "#") {
        hasParts = false
      } else if hasParts, line.starts(with: "#EXT-X-MAP:".utf8) || line.starts(with: "#EXT-X-DISCONTINUITY".utf8) {
        guard !line.starts(with: "#EXT-X-DISCONTINUITY-SEQUENCE".utf8) else { continue }
        verdicts.add(
          Finding(
            .splice, "\(String(decoding: line.prefix(21), as: UTF8.self)) comes after parts of its segment", url: url,
            place: "line \(index + 1)"))
      }
    }
  }

  /// An error of the form; EXT-X-MAP has a rule of its own.
  private static func finding(_ error: PlaylistError, url: String) -> Finding {
    Finding(
      error.tag == "EXT-X-MAP" ? .splice : .form, error.tag.isEmpty ? error.reason : "\(error.tag): \(error.reason)",
      url: url, place: error.line > 0 ? "line \(error.line)" : "", section: error.section.isEmpty ? "4" : error.section)
  }

  /// The playlist without the line of the error; `nil` if that is not possible.
  private static func mend(_ text: [UInt8], _ error: PlaylistError) -> [UInt8]? {
    var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if error.section == "8" {
      lines.removeAll { $0.starts(with: "#EXT-X-VERSION".utf8) }
      guard !lines.isEmpty else { return nil }
      // The line is replaced, so that the numbers of the other lines stay right.
      lines.insert(ArraySlice("#EXT-X-VERSION:12".utf8), at: 1)
    } else if error.line > 1, error.line <= lines.count, !lines[error.line - 1].isEmpty {
      lines[error.line - 1] = []
    } else {
      return nil
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }

  /// Whether the bytes are those of a multivariant playlist.
  static func isMultivariant(_ bytes: [UInt8]) -> Bool {
    bytes.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: "#EXT-X-STREAM-INF".utf8) }
  }
}
