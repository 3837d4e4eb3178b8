import Media
import Playlist

extension PlaylistHistory {
  /// Checks a version against the one before: H3, H4, H5, H7, H9.
  mutating func compare(_ old: MediaPlaylist, _ new: MediaPlaylist, elapsed: Ticks) {
    judge(.appending, .mediaSequence, .targetDuration)
    if new.targetDuration != old.targetDuration {
      find(
        .targetDuration, "EXT-X-TARGETDURATION was \(old.targetDuration) and is \(new.targetDuration) now",
        section: "6.2.1")
    }
    guard isInSequence(old, new, elapsed: elapsed) else {
      // Everything else would say the same again.
      forgetNumbers(of: new)
      return
    }
    if new.mediaSequence > old.mediaSequence { hasRemoved = true }
    let numbers = max(old.mediaSequence, new.mediaSequence)..<max(new.mediaSequence, min(old.end, new.end))
    if new.end < old.end {
      find(
        .appending,
        "the newest segment was \(old.end - 1) and is \(new.end - 1) now; segments must only leave at the front",
        at: "segment \(old.end - 1)")
    }
    for number in numbers { compareSegment(number, old, new) }
    compareParts(old, new)
    compareDiscontinuities(old, new, numbers)
  }

  /// Whether the numbers still count the same segments; otherwise a finding of H4, which explains all others.
  private mutating func isInSequence(_ old: MediaPlaylist, _ new: MediaPlaylist, elapsed: Ticks) -> Bool {
    guard new.mediaSequence >= old.mediaSequence else {
      find(
        .mediaSequence,
        "EXT-X-MEDIA-SEQUENCE was \(old.mediaSequence) and is \(new.mediaSequence) now; it must never go back")
      return false
    }
    if let first = new.segments.first, let index = old.segments.firstIndex(where: { $0.isSame(first) }),
      old.mediaSequence + index != new.mediaSequence, old.segments.filter({ $0.isSame(first) }).count == 1
    {
      find(
        .mediaSequence,
        "\(first.uri) was segment \(old.mediaSequence + index) and is segment \(new.mediaSequence) now; the sequence "
          + "must rise by one for each removed segment", at: first.uri)
      return false
    }
    let unseen = new.mediaSequence - old.end
    if unseen > 0, elapsed < Ticks.seconds(Int64(new.targetDuration)) {
      find(
        .mediaSequence,
        "the numbers \(old.end) to \(new.mediaSequence - 1) were left out: nothing was ever listed under them",
        at: "segment \(new.mediaSequence)")
      return false
    }
    return true
  }

  private mutating func compareSegment(_ number: Int, _ old: MediaPlaylist, _ new: MediaPlaylist) {
    guard let before = old.segment(number), let after = new.segment(number) else { return }
    let place = "segment \(number)"
    if before.uri != after.uri || before.byteRange?.length != after.byteRange?.length {
      find(.appending, "its address was \(before.uri) and is \(after.uri) now", at: place)
    } else if before.duration != after.duration {
      find(.appending, "its EXTINF was \(before.duration) and is \(after.duration) now", at: place)
    } else if before.map != after.map {
      find(
        .appending, "its EXT-X-MAP was \(before.map?.uri ?? "none") and is \(after.map?.uri ?? "none") now", at: place)
    }
    if let earlier = before.programDateTime, let later = after.programDateTime, earlier != later {
      find(
        .programDateTime, "its date was \(earlier) and is \(later) now", at: place, severity: .must,
        section: "6.2.1")
    }
  }

  /// What was listed of an open segment must be the start of the segment.
  private mutating func compareParts(_ old: MediaPlaylist, _ new: MediaPlaylist) {
    let first = max(old.firstListed, new.mediaSequence)
    for number in first..<max(first, old.end + 1) {
      let (before, after) = (old.parts(of: number), new.parts(of: number))
      // The parts of a complete segment can leave, but only all of them.
      guard !before.isEmpty, !(after.isEmpty && number < new.end), number <= new.end else { continue }
      if !after.starts(with: before) {
        find(
          .appending,
          "its parts were \(before.map(\.uri).joined(separator: ", ")) and are "
            + "\(after.map(\.uri).joined(separator: ", ")) now", at: "segment \(number)")
      }
    }
  }

  /// The number of discontinuities up to a segment is the same in every version, whether they are listed or not.
  private mutating func compareDiscontinuities(_ old: MediaPlaylist, _ new: MediaPlaylist, _ numbers: Range<Int>) {
    if new.discontinuitySequence < old.discontinuitySequence {
      find(
        .discontinuity,
        "EXT-X-DISCONTINUITY-SEQUENCE was \(old.discontinuitySequence) and is \(new.discontinuitySequence) now; it "
          + "must never go back", section: "4.4.3.3")
      return
    }
    guard let number = numbers.first, let before = old.discontinuities(upTo: number),
      let after = new.discontinuities(upTo: number)
    else { return }
    if before != after {
      find(
        .discontinuity,
        "\(before) discontinuities were before it and \(after) are now; EXT-X-DISCONTINUITY-SEQUENCE must rise by one "
          + "when a discontinuity leaves, and at no other time", at: "segment \(number)")
      return
    }
    for number in numbers {
      guard let before = old.segment(number)?.discontinuity, let after = new.segment(number)?.discontinuity,
        number != numbers.lowerBound, before != after
      else { continue }
      find(.appending, "its EXT-X-DISCONTINUITY \(after ? "was added" : "was taken away")", at: "segment \(number)")
    }
  }
}

extension MediaPlaylist {
  /// How many discontinuities there were from the start of the stream to the start of a listed segment.
  func discontinuities(upTo number: Int) -> Int? {
    guard segment(number) != nil else { return nil }
    return discontinuitySequence + segments.prefix(number - mediaSequence + 1).count { $0.discontinuity }
  }
}

extension MediaPlaylist.Segment {
  func isSame(_ other: Self) -> Bool { uri == other.uri && byteRange == other.byteRange }
}
