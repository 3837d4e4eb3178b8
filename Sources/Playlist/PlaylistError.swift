/// What makes a playlist invalid, or what is odd about it: where, what, and which rule says so.
///
/// An error is thrown and ends the parsing; a warning is the same value, handed over beside a good playlist.
package struct PlaylistError: Error, Hashable, Sendable {
  /// The line, counted from 1; 0 where the whole playlist is meant.
  package let line: Int
  /// The tag in question without its `#`, such as `EXTINF`; empty where no tag is involved.
  package let tag: String
  /// What is wrong and what should stand there instead.
  package let reason: String
  /// The section of rfc8216bis (draft 22) that says so; empty for a bound that is Quietcam's own.
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
