/// What makes a playlist invalid or is unusual in it: where, what, and by which rule.
///
/// An error is thrown and ends the parsing. A warning is the same value, returned beside a valid playlist.
package struct PlaylistError: Error, Hashable, Sendable {
  /// The line, counted from 1; 0 for the whole playlist.
  package let line: Int
  /// The tag without its `#`, such as `EXTINF`; empty if the error is about no tag.
  package let tag: String
  /// What is wrong and how to correct it.
  package let reason: String
  /// The section of rfc8216bis (draft 22) that says so; empty for a limit of Quietcam's own.
  package let section: String

  init(line: Int, tag: String = "", _ reason: String, section: String) {
    self.line = line
    self.tag = tag
    self.reason = reason
    self.section = section
  }
}

extension PlaylistError: CustomStringConvertible {
  /// `line 7, EXT-X-PART: the attribute URI is missing (rfc8216bis, section 4.4.4.9)`.
  package var description: String {
    let place = line == 0 ? "" : "line \(line)\(tag.isEmpty ? "" : ", ")"
    let colon = place.isEmpty && tag.isEmpty ? "" : ": "
    let rule = section.isEmpty ? "" : " (rfc8216bis, section \(section))"
    return "\(place)\(tag)\(colon)\(reason)\(rule)"
  }
}
