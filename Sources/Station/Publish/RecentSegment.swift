import Media
import NIOCore
import Packager

/// A segment that was shown lately: its media as one file, and the pictures that `latest.jpg` showed during it.
struct RecentSegment: Sendable {
  /// All its parts.
  var media = ByteBuffer()
  /// The picture that was shown when it began, as a JPEG.
  let opening: ByteBuffer
  /// The pictures that began to show in it.
  var changes: [ShownPicture] = []

  /// A segment that begins with this picture.
  init(opening: ByteBuffer) { self.opening = opening }

  /// Adds what a slot shows that begins at this step of the segment.
  mutating func add(_ content: SlotContent, at first: Int) {
    for picture in content.changes where picture.jpeg.readableBytes > 0 {
      changes.append(
        ShownPicture(step: first + picture.step, jpeg: picture.jpeg, slotOffset: picture.slotOffset))
    }
  }

  /// Its size in bytes.
  var bytes: Int { changes.reduce(media.readableBytes) { $0 + $1.jpeg.readableBytes } }

  /// A box with its pictures; with the earlier one at its start only if requested; `nil` if there are none.
  func pictures(step: Ticks, withOpening: Bool) -> ByteBuffer? {
    let opening = withOpening && changes.first?.step != 0 ? opening : nil
    guard opening != nil || !changes.isEmpty else { return nil }
    return ShownPictures(step: step, opening: opening, pictures: changes).box
  }
}

/// Collects what the current segment shows, to make a loop of it: that needs exactly the pictures that `latest.jpg`
/// showed.
struct SegmentRecorder {
  private let recent: RecentMedia
  private let stepsPerPart: Int
  private var segment: RecentSegment?

  /// A recorder that brings whole live segments to `recent`.
  init(_ recent: RecentMedia, timeline: TimelineSettings) {
    self.recent = recent
    stepsPerPart = timeline.stepsPerPart
  }

  /// Notes what a slot shows.
  ///
  /// - Parameters:
  ///   - part: the index of the slot's part in its segment.
  ///   - standing: the picture that was shown before.
  mutating func add(_ content: SlotContent, part: Int, standing: ByteBuffer?) {
    if part == 0 {
      let first = content.changes.first.flatMap { $0.step == 0 && $0.jpeg.readableBytes > 0 ? $0.jpeg : nil }
      segment = (first ?? standing).map { RecentSegment(opening: $0) }
    }
    // The encoder was opened or made again in the middle: a loop's segments have one IDR picture, at their start.
    if part > 0, content.pictures.first?.isIDR == true { segment = nil }
    segment?.add(content, at: part * stepsPerPart)
  }

  /// Ends the segment.
  ///
  /// - Parameter isLive: whether it showed the camera; nothing else is kept.
  mutating func finish(_ media: ByteBuffer, header: ByteBuffer, isLive: Bool) {
    guard var segment else { return }
    self.segment = nil
    guard isLive else { return }
    segment.media = media
    recent.append(segment, header: header)
  }

  /// Keeps nothing of a segment that ends early: loops are made of whole ones.
  mutating func drop() { segment = nil }

  /// Forgets everything, also what is kept already.
  mutating func forget() {
    segment = nil
    recent.clear()
  }
}
