/// Who can see a camera.
package enum ViewerAccess: String, Sendable, CaseIterable {
  /// Everyone.
  case open
  /// Viewers with a link that has not ended.
  case signed
}
