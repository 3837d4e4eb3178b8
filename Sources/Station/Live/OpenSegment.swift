import Media
import NIOCore
import Packager

/// A segment that is being made, read from its first byte: the parts that are there at once, then each further part as
/// it is published. What was read in the end are the bytes of the finished segment.
package struct OpenSegment: Sendable {
  /// What a read brings.
  package enum Reading: Sendable {
    /// The next bytes; more follow.
    case more(ByteBuffer)
    /// The last bytes of the segment; they may be empty.
    case last(ByteBuffer)
    /// Nothing follows although the segment is not whole: it was withdrawn, the stream ends, nobody wants it any more,
    /// or the deadline came first.
    case cut
  }

  private let edge: LiveEdge
  private let name: SegmentName
  private let sequence: Int
  private var parts = 0
  private var sent = 0

  init(edge: LiveEdge, name: SegmentName, sequence: Int) {
    self.edge = edge
    self.name = name
    self.sequence = sequence
  }

  /// Waits for what comes next and takes all of it that is there.
  ///
  /// - Parameters:
  ///   - deadline: when the wait for the next part ends.
  ///   - isWanted: asked about twice a second; where it says no the wait ends.
  package mutating func read(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> Reading {
    if let reading = take() { return reading }
    // What is published by then and still not there was withdrawn.
    guard case .published = await edge.wait(for: next, deadline: deadline, isWanted: isWanted) else { return .cut }
    return take() ?? .cut
  }

  /// The part that comes next.
  package var next: PartPosition { PartPosition(sequence: sequence, part: parts) }

  /// What is there and was not read yet; `nil` where nothing is.
  ///
  /// The whole segment comes first: it is served for longer than its parts, and a reader may be slow.
  package mutating func take() -> Reading? {
    if let whole = edge.media(named: name.file) {
      defer { sent = whole.readableBytes }
      return .last(whole.getSlice(at: whole.readerIndex + sent, length: whole.readableBytes - sent) ?? ByteBuffer())
    }
    var pieces: [ByteBuffer] = []
    while let part = edge.media(named: name.part(parts)) {
      pieces.append(part)
      parts += 1
      sent += part.readableBytes
    }
    guard var bytes = pieces.first else { return nil }
    for piece in pieces.dropFirst() { bytes.writeImmutableBuffer(piece) }
    return .more(bytes)
  }
}

extension LiveEdge {
  /// When the segment of this file name begins; `nil` where no playlist lists it any more or yet.
  package func date(ofSegment file: String) -> WallTime? { (furthest ?? snapshot)?.dates[file] }

  /// The segment of this file name, if it is being made or is hinted as the next; `nil` for all others.
  package func openSegment(named file: String) -> OpenSegment? {
    guard let name = SegmentName(file: file) else { return nil }
    for snapshot in [snapshot, furthest].compactMap({ $0 })
    where snapshot.hintedName == name.part(snapshot.hinted.part) {
      return OpenSegment(edge: self, name: name, sequence: snapshot.hinted.sequence)
    }
    return nil
  }
}
