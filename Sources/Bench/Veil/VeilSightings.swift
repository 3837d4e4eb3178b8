/// What a viewer without any secret has seen of a camera: only public addresses, each with the moment at which its
/// bytes came. All times are microseconds of one clock.
package struct VeilSightings: Sendable, Codable {
  /// A part of the low-latency playlist.
  package struct Part: Sendable, Codable {
    /// When the playlist that lists it first had come.
    package var listed: Int64
    /// When its bytes had come.
    package var came: Int64
    /// The date at which it begins, by the playlist.
    package var begins: Int64
    package var bytes: Int
    /// Numbers of its boxes and slices that count on, by name.
    package var counters: [String: Int]
    /// The means of what the headers of its slices say, by name.
    package var fields: [String: Double]
    /// The bytes of each picture.
    package var pictures: [Int]
    /// The lines of the playlist.
    package var lines: Int

    /// Whether it shows a new picture: one that only repeats another has some twenty bytes.
    package var isNew: Bool { (pictures.max() ?? 0) > 100 }

    package init(
      listed: Int64, came: Int64, begins: Int64, bytes: Int, counters: [String: Int] = [:],
      fields: [String: Double] = [:], pictures: [Int] = [], lines: Int = 0
    ) {
      (self.listed, self.came, self.begins, self.bytes) = (listed, came, begins, bytes)
      (self.counters, self.fields, self.pictures, self.lines) = (counters, fields, pictures, lines)
    }
  }

  /// An event of a new picture, and the `latest.jpg` that was asked for upon it.
  package struct Event: Sendable, Codable {
    package var came: Int64
    /// The time that it tells.
    package var time: Int64
    /// The bytes that it tells.
    package var bytes: Int
    /// When the picture had come, and its bytes.
    package var pictureCame: Int64
    package var pictureBytes: Int

    package init(came: Int64, time: Int64, bytes: Int, pictureCame: Int64, pictureBytes: Int) {
      (self.came, self.time, self.bytes) = (came, time, bytes)
      (self.pictureCame, self.pictureBytes) = (pictureCame, pictureBytes)
    }
  }

  /// What came at once of a segment that was still being made.
  package struct Piece: Sendable, Codable {
    package var came: Int64
    package var bytes: Int

    package init(came: Int64, bytes: Int) { (self.came, self.bytes) = (came, bytes) }
  }

  /// The length of a part, and of a picture on the grid.
  package var part: Int64
  package var parts: [Part] = []
  package var events: [Event] = []
  package var pieces: [Piece] = []

  /// Nothing yet, of a stream with parts of this length.
  package init(part: Int64) { self.part = part }

  /// Puts all into the order in which it came.
  mutating func sort() {
    parts.sort { $0.begins < $1.begins }
    events.sort { $0.came < $1.came }
    pieces.sort { $0.came < $1.came }
  }
}

/// When what was shown, as only the operator knows.
package struct VeilStretch: Sendable, Codable {
  /// The kinds.
  package enum Kind: String, Sendable, Codable, CaseIterable {
    case live
    /// Live too: what differs between both is chance, or the machine.
    case control
    case veiled
  }

  package var kind: Kind
  package var begin: Int64
  package var end: Int64
  /// Whether something else was shown right before it: its first window then is at an edge of the veil.
  package var isEdge: Bool

  /// A stretch.
  package init(kind: Kind, begin: Int64, end: Int64, isEdge: Bool) {
    (self.kind, self.begin, self.end, self.isEdge) = (kind, begin, end, isEdge)
  }
}
