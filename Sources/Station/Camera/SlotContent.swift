import Media
import Packager

/// The content of one slot: its encoded pictures, and the pictures that begin to show in it.
struct SlotContent: Sendable {
  /// One picture for each step.
  var pictures: [CodedPicture] = []
  /// In order, with their steps in the slot.
  var changes: [ShownPicture] = []
}
