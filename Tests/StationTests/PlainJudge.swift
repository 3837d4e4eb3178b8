import Playlist

/// Holds successive versions of one camera's playlist without parts, over all lives of its process, against the rules
/// of HLS.
///
/// It begins anew each time that somebody wants it, also in one life. Who followed it then goes on with what is new:
/// the numbers of the segments that they know never come again, nor on another timeline.
struct PlainJudge {
  private var last: MediaPlaylist?

  /// What the next version breaks.
  mutating func judge(_ new: MediaPlaylist) -> [String] {
    defer { last = new }
    guard let old = last else { return Self.mistakes(alone: new) }
    return Self.mistakes(alone: new)
      + (new.discontinuitySequence == old.discontinuitySequence
        ? Self.mistakes(from: old, to: new) : Self.mistakes(from: old, toNewTimeline: new))
  }

  private static func mistakes(alone new: MediaPlaylist) -> [String] {
    var mistakes: [String] = []
    if new.segments.count < 3 { mistakes.append("H5: plain.m3u8 lists \(new.segments.count) segments") }
    if new.endList || new.playlistType != nil { mistakes.append("H11: plain.m3u8 has an end or a type") }
    for segment in new.segments where segment.programDateTime == nil || segment.discontinuity || !segment.parts.isEmpty
    {
      mistakes.append("H9: \(segment.uri) has no date, or a discontinuity or parts that plain.m3u8 never has")
    }
    return mistakes
  }

  /// H1, H3, H4: the same timeline goes on. After a stall it may have come further than it lists.
  private static func mistakes(from old: MediaPlaylist, to new: MediaPlaylist) -> [String] {
    let end = old.mediaSequence + old.segments.count
    guard new.mediaSequence >= old.mediaSequence, new.mediaSequence + new.segments.count >= end else {
      return [
        "H4: plain.m3u8 had \(old.mediaSequence)..<\(end), now \(new.segments.count) from \(new.mediaSequence) on"
      ]
    }
    var mistakes: [String] = []
    if new.targetDuration != old.targetDuration { mistakes.append("H1: the target duration of plain.m3u8 changed") }
    for (before, after) in zip(old.segments.dropFirst(new.mediaSequence - old.mediaSequence), new.segments)
    where
      (before.uri, before.duration, before.programDateTime) != (after.uri, after.duration, after.programDateTime)
      || before.map != after.map
    { mistakes.append("H3: \(before.uri) of plain.m3u8 is \(after.uri) now") }
    return mistakes
  }

  /// H4, H7: another timeline has other numbers, behind a higher count of discontinuities.
  private static func mistakes(from old: MediaPlaylist, toNewTimeline new: MediaPlaylist) -> [String] {
    var mistakes: [String] = []
    if new.discontinuitySequence < old.discontinuitySequence {
      mistakes.append(
        "H7: plain.m3u8 went back from discontinuity \(old.discontinuitySequence) to \(new.discontinuitySequence)")
    }
    if new.mediaSequence < old.mediaSequence + old.segments.count {
      mistakes.append(
        "H4: plain.m3u8 had \(old.segments.count) from \(old.mediaSequence) on, begins anew at \(new.mediaSequence)")
    }
    return mistakes
  }
}
