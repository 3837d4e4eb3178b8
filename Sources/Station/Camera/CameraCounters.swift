import Ingest
import Media

extension Camera {
  /// The counters of a camera since the process started.
  package struct Counters: Hashable, Sendable {
    /// Stills that were accepted.
    package var taken: Int64 = 0
    /// Bytes of these stills.
    package var takenBytes: Int64 = 0
    /// Stills that were refused, by reason.
    package var refused: [StillRefusal.Reason: Int64] = [:]
    /// Stills that were accepted and could not be decoded.
    package var undecodable: Int64 = 0
    /// Stills that a newer one replaced.
    package var displaced: Int64 = 0
    /// Stills that were shown.
    package var shown: Int64 = 0
    /// Stills that came while the loop was shown.
    package var unseen: Int64 = 0
    /// Parts that were published.
    package var parts: Int64 = 0
    /// Bytes of these parts.
    package var partBytes: Int64 = 0
    /// How long after the beginning of its slot each part is published, where a veil can begin; `nil` where parts are
    /// published as soon as they are ready.
    package var publishOffset: Ticks?
    /// Parts that were not ready by then.
    package var lateParts: Int64 = 0
    /// How far its encoder is stepped down now, or will be if a still waits for it to be opened; `nil` while there is none.
    package var codedLevel: LoadLevel?
    /// What a slot takes of a processor now, in the mean; `nil` where it is not known.
    package var slotWork: Ticks?
    /// Visitors' waves.
    package var waves: Int64 = 0
    /// Failed writes to the store.
    package var storeFailures: Int64 = 0
    /// States that took longer to write to the store than the next one took to come.
    package var slowWrites: Int64 = 0
    /// When the newest still came.
    package var lastStill: WallTime?
    /// What is shown now.
    package var source = Director.Source.live
    /// The operator's commands that are in force.
    package var standing = Director.Standing()
    /// Whether the loop is still shown although the veil has ended, until the camera's stills fit to it.
    package var isVeilEnding = false
    /// What the camera's hours say now; `nil` without hours.
    package var hours: HoursWatch.State?
    /// Whether the camera sends stills, whatever is shown.
    package var isOn = false
    /// Segments that were shown, by what they showed.
    package var segments: [Director.Source: Int64] = [:]
    /// Whether the playlist without parts is made now.
    package var servesPlain = false

    /// Notes a slot that was published.
    ///
    /// - Parameters:
    ///   - source: what it showed.
    ///   - bytes: of its part.
    mutating func note(_ slot: SlotArrivals, _ content: SlotContent, of source: Director.Source, bytes: Int) {
      if source.isRecorded {
        unseen += Int64(slot.stills.count)
      } else {
        displaced += Int64(slot.stills.count - slot.placed.count)
        shown += Int64(content.changes.count)
      }
      parts += 1
      partBytes += Int64(bytes)
      self.source = source
    }
  }
}
