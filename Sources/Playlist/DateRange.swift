import Media

extension MediaPlaylist {
  /// EXT-X-DATERANGE: something that happens between two moments (rfc8216bis, section 4.4.5.1).
  package struct DateRange: Sendable, Equatable {
    /// The name of the range within the stream; never used for another one.
    package var id: String
    /// START-DATE; only a later tag of the same range can leave it out.
    package var startDate: WallTime?
    /// CLASS: the kind of range, whose client attributes mean the same.
    package var classification: String?
    /// END-DATE, not before the start.
    package var endDate: WallTime?
    /// DURATION.
    package var duration: Ticks?
    /// PLANNED-DURATION, if the true one is not known yet.
    package var plannedDuration: Ticks?
    /// END-ON-NEXT: the range ends where the next one of its class begins.
    package var endOnNext: Bool
    /// The `X-` attributes, in the order of the tag.
    package var clientAttributes: [ClientAttribute]

    /// A range with this name; everything else is optional.
    package init(
      id: String,
      startDate: WallTime? = nil,
      classification: String? = nil,
      endDate: WallTime? = nil,
      duration: Ticks? = nil,
      plannedDuration: Ticks? = nil,
      endOnNext: Bool = false,
      clientAttributes: [ClientAttribute] = []
    ) {
      self.id = id
      self.startDate = startDate
      self.classification = classification
      self.endDate = endDate
      self.duration = duration
      self.plannedDuration = plannedDuration
      self.endOnNext = endOnNext
      self.clientAttributes = clientAttributes
    }
  }

  /// An attribute that is not defined by the specification: its name begins with `X-` (rfc8216bis, section 4.4.5.1).
  package struct ClientAttribute: Hashable, Sendable {
    /// The whole name, `X-` included; capital letters, digits and hyphens.
    package var name: String
    /// Its value.
    package var value: Value

    /// A value in its form in the attribute list (section 4.2).
    package enum Value: Hashable, Sendable {
      /// Text in double quotes.
      case quoted(String)
      /// Anything without quotes as it was written: a decimal number, or a hexadecimal one that begins with `0x`.
      case bare(String)
    }

    /// An attribute of this name and value.
    package init(name: String, value: Value) {
      self.name = name
      self.value = value
    }
  }
}
