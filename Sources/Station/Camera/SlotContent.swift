import Media
import Packager

/// What one slot shows: its coded pictures, and the pictures that begin to show in it.
struct SlotContent: Sendable {
  /// One picture for each step.
  var pictures: [CodedPicture] = []
  /// In their order, their steps counted in the slot.
  var changes: [ShownPicture] = []
}
